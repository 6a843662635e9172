"""Unigram training: start with far too many tokens, learn how probable each is, drop those that are missed least."""

import math
from collections import Counter
from collections.abc import Mapping

from llmcourse.tokenizers.unigram import ScoredToken

LONGEST = 16  # characters of a token, as in the SentencePiece tool
SEEDS_PER_TOKEN = 10
KEPT_SHARE = 0.75
N_ROUNDS = 2  # of expectation and maximisation between two prunings
SMALLEST_COUNT = 1e-9  # a letter that the model never needs keeps a probability all the same

Scores = Mapping[str, float]


def learn_unigram(words: Mapping[str, int], n_tokens: int) -> list[ScoredToken]:
    """At most `n_tokens` tokens with the logarithms of their probabilities, likeliest first.

    Every character of the words stays. Of the others, after each two rounds of learning, three quarters stay: those
    without which the words would lose most likelihood. Equal losses go by the alphabet.
    Raises: ValueError when the characters alone are more than `n_tokens`.
    Source: Kudo 2018, whose example keeps four fifths.
    """
    words = dict(sorted(words.items()))  # sums of floats depend on their order
    letters = sorted(set("".join(words)))
    if len(letters) > n_tokens:
        raise ValueError(f"The texts hold {len(letters)} different characters, but only {n_tokens} tokens are allowed.")
    scores = as_scores(seed_counts(words, SEEDS_PER_TOKEN * n_tokens))
    while True:
        for _ in range(N_ROUNDS):
            counts, _ = expected_counts(words, scores)
            scores = as_scores(counts)
        if len(scores) <= n_tokens:
            return sorted(scores.items(), key=lambda item: (-item[1], item[0]))
        n_kept = max(n_tokens, int(KEPT_SHARE * len(scores)))
        scores = prune(scores, counts, n_kept)


def seed_counts(words: Mapping[str, int], n_seeds: int) -> dict[str, float]:
    """Every character, and of the strings that occur twice in words those that cover most text, with their counts."""
    letters: Counter[str] = Counter()
    strings: Counter[str] = Counter()
    for word, count in words.items():
        for start in range(len(word)):
            letters[word[start]] += count
            for end in range(start + 2, min(start + LONGEST, len(word)) + 1):
                strings[word[start:end]] += count
    often = [string for string, count in strings.items() if count >= 2]
    often.sort(key=lambda string: (-strings[string] * len(string), string))
    counts = {letter: letters[letter] for letter in sorted(letters)} | {
        string: strings[string] for string in often[:n_seeds]
    }
    return {token: float(count) for token, count in counts.items()}


def as_scores(counts: Mapping[str, float]) -> dict[str, float]:
    """The logarithm of each token's share of the counts; of those that are not needed, characters alone stay."""
    kept = {
        token: max(count, SMALLEST_COUNT)
        for token, count in counts.items()
        if len(token) == 1 or count > SMALLEST_COUNT
    }
    log_sum = math.log(math.fsum(kept.values()))
    return {token: math.log(count) - log_sum for token, count in kept.items()}


def expected_counts(words: Mapping[str, int], scores: Scores) -> tuple[dict[str, float], float]:
    """How often each token is expected over all cuts of the words, and the words' log-likelihood, in nats.

    Each cut counts by its probability. Sums run from the left and from the right, as in a hidden Markov model.
    """
    counts = dict.fromkeys(scores, 0.0)
    log_likelihood = 0.0
    longest = max(map(len, scores), default=0)
    for word, frequency in words.items():
        spans = _spans(word, scores, longest)
        before = _sums(len(word), spans)
        after = _sums(len(word), [(len(word) - end, len(word) - start, score) for start, end, score in reversed(spans)])
        total = before[-1]
        log_likelihood += frequency * total
        for start, end, score in spans:
            counts[word[start:end]] += frequency * math.exp(before[start] + score + after[len(word) - end] - total)
    return counts, log_likelihood


def prune(scores: Scores, counts: Mapping[str, float], n_kept: int) -> dict[str, float]:
    """The characters, and of the other tokens those whose loss would cost most, `n_kept` in all where that can be.

    Losing a token costs its count times what its likeliest cut into other tokens is less likely than itself.
    """
    losses = {token: counts[token] * (scores[token] - _best_cut(token, scores)) for token in scores if len(token) > 1}
    n_letters = len(scores) - len(losses)
    kept = set(sorted(losses, key=lambda token: (-losses[token], token))[: max(n_kept - n_letters, 0)])
    return {token: score for token, score in scores.items() if len(token) == 1 or token in kept}


def _best_cut(token: str, scores: Scores) -> float:
    """The highest sum of scores of two or more tokens that join to the token."""
    best = [0.0] + [-math.inf] * len(token)
    for start in range(len(token)):
        for end in range(start + 1, len(token) + 1):
            score = scores.get(token[start:end])
            if score is not None and end - start < len(token):
                best[end] = max(best[end], best[start] + score)
    return best[-1]


def _spans(word: str, scores: Scores, longest: int) -> list[tuple[int, int, float]]:
    """Every token inside the word: where it begins and ends, and its score; earliest end first."""
    return [
        (start, end, score)
        for end in range(1, len(word) + 1)
        for start in range(max(end - longest, 0), end)
        if (score := scores.get(word[start:end])) is not None
    ]


def _sums(length: int, spans: list[tuple[int, int, float]]) -> list[float]:
    """For each place of a word, the logarithm of the summed probability of all ways to get there from the start."""
    arriving: list[list[float]] = [[] for _ in range(length + 1)]
    arriving[0] = [0.0]
    sums: list[float] = []
    by_start: list[list[tuple[int, float]]] = [[] for _ in range(length + 1)]
    for start, end, score in spans:
        by_start[start].append((end, score))
    for place in range(length + 1):
        sums.append(_log_sum(arriving[place]))
        for end, score in by_start[place]:
            arriving[end].append(sums[place] + score)
    return sums


def _log_sum(logs: list[float]) -> float:
    highest = max(logs, default=-math.inf)
    if highest == -math.inf:
        return highest
    return highest + math.log(math.fsum(math.exp(value - highest) for value in logs))
