"""A small invented place whose every story has a known probability."""

import math
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from llmcourse.world.chances import Chances
from llmcourse.world.codas import MOODS
from llmcourse.world.people import inhabitants
from llmcourse.world.plots import tell_story
from llmcourse.world.records import Dials, Document, Floor, Parse
from llmcourse.world.story import Story
from llmcourse.world.tape import SampleTape, ScanTape
from llmcourse.world.tasks import task_records
from llmcourse.world.weights import stable_random

SPLITS = ("train", "valid", "test")


class World(Chances):
    """A place with its people, facts and habits; `seed` fixes all of them, and every probability.

    Splits are disjoint random streams from one distribution: each (split, seed) pair seeds its own stream, so "test"
    says nothing about "train" but the world itself. `documents(5)` are the first five of `documents(10)`.
    """

    def __init__(self, seed: int = 0, **dials: Any) -> None:
        unknown = [d for d in dials if d not in Dials.__dataclass_fields__]
        if unknown:
            raise ValueError(f"the dials are {', '.join(Dials.__dataclass_fields__)}: {unknown[0]!r} is not one.")
        self.dials = Dials(**dials)
        super().__init__(seed, inhabitants(seed, self.dials.n_people), self.dials.bias, self.dials.noise)
        self._tell: Callable[[Story], None] = tell_story

    def __repr__(self) -> str:
        return f"World(seed={self.seed}, {self.dials})"

    @property
    def moods(self) -> tuple[str, ...]:
        """The labels of the mood task."""
        return tuple(MOODS)

    # -- drawing -------------------------------------------------------------------------------------------------
    def documents(self, n: int, split: str = "train", seed: int = 0) -> list[Document]:
        """`n` texts with their labels.

        Raises: ValueError for a negative n or an unknown split.
        """
        _check_draw(n, split)
        random = stable_random("documents", self.seed, split, seed)
        return [self.draw(random) for _ in range(n)]

    def task(self, name: str, n: int, split: str = "train", seed: int = 0) -> list[Any]:
        """`n` labelled records of a task: "mood" (text, label) or "instructions" (instruction, answer, text).

        Raises: ValueError for an unknown task or split, or a negative n.
        """
        _check_draw(n, split)
        return list(task_records(self, name, n, split, seed))

    def draw(self, random: Random) -> Document:
        """One document from a given random stream."""
        return self._draw(random)[0]

    def _draw(self, random: Random) -> tuple[Document, SampleTape]:
        tape = SampleTape(random)
        story = Story(self, tape)
        self._tell(story)
        return Document(" ".join(tape.words), story.truth()), tape

    # -- scoring -------------------------------------------------------------------------------------------------
    def _derivations(self, text: str) -> list[tuple[float, list[tuple[str, int]], Story]]:
        tape = ScanTape(_words(text), open_end=False)
        return tape.search(Story(self, tape), self._tell)

    def log_prob(self, text: str) -> float:
        """The log-probability of the whole text, its end included, in nats; -inf for what the world never says."""
        if text and "" in text.split(" "):  # no story has two spaces in a row
            return -math.inf
        return _log_sum([log for log, _, _ in self._derivations(text)])

    def next_word_probs(self, prefix: str) -> dict[str, float]:
        """What can follow `prefix`, with exact probabilities; "" is the end of the document.

        Raises: ValueError naming the first word that cannot be there.
        """
        following = self._following(_words(prefix))
        if not following:
            raise ValueError(self._complaint(prefix))
        top = max(log for _, log in following)
        masses: dict[str, float] = {}
        for word, log in following:
            masses[word] = masses.get(word, 0.0) + math.exp(log - top)
        total = math.fsum(masses.values())
        return {word: masses[word] / total for word in sorted(masses, key=lambda w: (-masses[w], w))}

    def _following(self, words: Sequence[str]) -> list[tuple[str, float]]:
        tape = ScanTape(words, open_end=True)
        tape.search(Story(self, tape), self._tell)
        return tape.following

    def parse(self, text: str) -> Parse:
        """The likeliest derivation of `text`.

        Raises: ValueError naming the first word that cannot be there.
        """
        found = self._derivations(text)
        if not found:
            raise ValueError(self._complaint(text))
        _, choices, story = max(found, key=lambda d: d[0])
        return Parse(tuple(choices), story.truth(), _log_sum([log for log, _, _ in found]), len(found))

    def _complaint(self, text: str) -> str:
        """Which word of an impossible text is the first that cannot be there."""
        words = _words(text)
        low, high = 0, len(words) + 1  # the longest possible prefix has `low` words or more, and fewer than `high`
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._following(words[:middle]) else (low, middle)
        if low == len(words):
            return f"the world does not end a document after {words[-1]!r}." if words else "a document is not empty."
        before = " ".join(words[max(0, low - 4) : low])
        return (
            f"word {low + 1}, {words[low]!r}, cannot follow {before!r}."
            if low
            else f"no document opens with {words[0]!r}."
        )

    def label_probs(self, text: str, label: str) -> dict[Any, float]:
        """How likely each value of a label is, given the text: what the best possible classifier says."""
        found = self._derivations(text)
        if not found:
            raise ValueError(self._complaint(text))
        total = _log_sum([log for log, _, _ in found])
        probs: dict[Any, float] = {}
        for log, _, story in found:
            value = story.truth()[label]
            probs[value] = probs.get(value, 0.0) + math.exp(log - total)
        return probs

    def floor(self, texts: Sequence[str]) -> Floor:
        """The mean surprisal of `texts` under the world.

        Raises: ValueError for no texts, or for a text that the world cannot produce.
        """
        logs = [self.log_prob(text) for text in texts]
        for text, log in zip(texts, logs, strict=True):
            if log == -math.inf:
                raise ValueError(self._complaint(text))
        return _floor([-log for log in logs], sum(len(t.encode()) for t in texts))

    def entropy(self, n: int = 500) -> Floor:
        """The expectation of `floor` over all documents, estimated from `n` fresh ones, with its standard error.

        Source: the sum of each choice's surprisal minus its entropy has mean 0, and is taken off as a control variate.
        """
        random = stable_random("entropy", self.seed)
        values, n_bytes = [], 0
        for _ in range(n):
            document, tape = self._draw(random)
            values.append(-self.log_prob(document.text) + tape.log_prob + tape.entropy)
            n_bytes += len(document.text.encode())
        return _floor(values, n_bytes)


def _check_draw(n: int, split: str) -> None:
    if n < 0:
        raise ValueError(f"n is 0 or more: n={n}.")
    if split not in SPLITS:
        raise ValueError(f"splits are {', '.join(SPLITS)}: split={split!r}.")


def _floor(nats: Sequence[float], n_bytes: int) -> Floor:
    n = len(nats)
    if n == 0:
        raise ValueError("a floor needs at least one text.")
    mean = math.fsum(nats) / n
    variance = math.fsum((x - mean) ** 2 for x in nats) / (n - 1) if n > 1 else 0.0
    return Floor(mean, mean * n / math.log(2) / n_bytes, n, math.sqrt(variance / n))


def _words(text: str) -> list[str]:
    """The words of `text`, which single spaces part."""
    if not text:
        return []
    words = text.split(" ")
    if "" in words:
        raise ValueError("words are parted by single spaces, with none at either end: the text holds an empty word.")
    return words


def _log_sum(logs: Sequence[float]) -> float:
    if not logs:
        return -math.inf
    top = max(logs)
    return top + math.log(math.fsum(math.exp(log - top) for log in logs))
