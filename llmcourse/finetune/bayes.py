"""A baseline without any network: which words go with which label, counted."""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence


class NaiveBayes:
    """Labels by word counts alone, as if the words of a text came independently of each other.

    Source: Manning, Raghavan and Schütze 2008, section 13.2.
    """

    def __init__(self, smoothing: float = 0.5) -> None:
        if smoothing <= 0:
            raise ValueError(f"smoothing must be positive, or a new word makes every label impossible: {smoothing}.")
        self.smoothing = smoothing
        self.n_texts: Counter[str] = Counter()
        self.n_words: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def fit(self, texts: Sequence[str], labels: Sequence[str]) -> "NaiveBayes":
        """The same baseline after it has counted these texts."""
        for text, label in zip(texts, labels, strict=True):
            self.n_texts[label] += 1
            self.n_words[label].update(text.split(" "))
        return self

    def log_scores(self, text: str) -> dict[str, float]:
        """The logarithm of each label's probability together with the text's words, in nats.

        Words that no text of `fit` held say nothing, and are passed over. Raises: ValueError before `fit`.
        """
        if not self.n_texts:
            raise ValueError("There is nothing to go by yet: call fit first.")
        known = set().union(*self.n_words.values())
        words = [word for word in text.split(" ") if word in known]
        scores = {}
        for label, n in self.n_texts.items():
            counts, total = self.n_words[label], self.n_words[label].total() + self.smoothing * len(known)
            scores[label] = math.log(n) + sum(math.log((counts[word] + self.smoothing) / total) for word in words)
        return scores

    def classify(self, texts: Sequence[str]) -> list[str]:
        """The likeliest label of each text."""
        return [max(scores, key=lambda label: scores[label]) for scores in map(self.log_scores, texts)]
