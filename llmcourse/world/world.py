"""A small invented place whose every story has a known probability."""

import math
from collections.abc import Callable, Sequence
from copy import copy
from functools import cached_property
from random import Random
from typing import Any

from llmcourse.world.chances import Chances
from llmcourse.world.codas import MOODS
from llmcourse.world.language import Language
from llmcourse.world.oracle import Tokenizer, TokenOracle
from llmcourse.world.people import inhabitants
from llmcourse.world.plots import tell_story
from llmcourse.world.records import Dials, Document, Floor, Parse
from llmcourse.world.story import Story
from llmcourse.world.tape import SampleTape, ScanTape
from llmcourse.world.tasks import task_records
from llmcourse.world.weights import stable_random, whole_number

SPLITS = ("train", "valid", "test")


class World(Chances):
    """A place with its people, facts and habits; `seed`, a whole number, fixes them all, and every probability.

    Splits are disjoint random streams: each (split, seed) pair seeds its own stream, so "test" says nothing about
    "train" but the world itself. `documents(5)` are the first five of `documents(10)`. All splits have one
    distribution, unless the dial `held_out` is turned: then "train" has that of the world `training`, as exactly known.
    """

    def __init__(self, seed: int = 0, **dials: Any) -> None:
        unknown = [d for d in dials if d not in Dials.__dataclass_fields__]
        if unknown:
            raise ValueError(f"the dials are {', '.join(Dials.__dataclass_fields__)}: {unknown[0]!r} is not one.")
        seed, settings = whole_number("seed", seed), Dials(**dials)
        super().__init__(seed, inhabitants(seed, settings.n_people), settings)
        self._tell: Callable[[Story], None] = tell_story
        self._oracle: TokenOracle | None = None

    def __repr__(self) -> str:
        return f"World(seed={self.seed}, {self.dials}){'.training' if self.keeps_apart else ''}"

    @cached_property
    def training(self) -> "World":
        """The world that training documents come from: this one, but pairs that are held out never meet."""
        if not self._held_out or self.keeps_apart:
            return self
        twin = copy(self)
        twin.keeps_apart, twin._oracle = True, None
        return twin

    @property
    def held_out(self) -> tuple[tuple[str, str], ...]:
        """The pairs that are held out, by the person's name and the thing's; see the dial of that name."""
        return tuple(sorted((person.name, thing.key) for person, thing in self._held_out))

    @property
    def moods(self) -> tuple[str, ...]:
        """The labels of the mood task."""
        return tuple(MOODS)

    @cached_property
    def language(self) -> Language:
        """The small language that the people of this world also speak; the task "translation" is about it."""
        return Language(self.seed)

    # -- drawing -------------------------------------------------------------------------------------------------
    def documents(self, n: int, split: str = "train", seed: int = 0) -> list[Document]:
        """`n` texts with their labels.

        Raises: ValueError for a negative n, an unknown split or a seed that is no whole number.
        """
        told = self._told_in(split)
        random = stable_random("documents", self.seed, split, whole_number("seed", seed))
        return [told.draw(random) for _ in range(whole_number("n", n, low=0))]

    def task(self, name: str, n: int, split: str = "train", seed: int = 0) -> list[Any]:
        """`n` labelled records of a task, one of those that `llmcourse.world.tasks.TASKS` names.

        Raises: ValueError for an unknown task or split, or a negative n.
        """
        told = self._told_in(split)
        return list(task_records(told, name, whole_number("n", n, low=0), split, whole_number("seed", seed)))

    def _told_in(self, split: str) -> "World":
        if split not in SPLITS:
            raise ValueError(f"splits are {', '.join(SPLITS)}: split={split!r}.")
        return self.training if split == "train" else self

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

    def next_token_probs(self, ids: Sequence[int], tokenizer: Tokenizer) -> dict[int, float]:
        """What can follow `ids` when documents are `[end, *tokenizer.encode(text), end]`, with exact probabilities.

        For many prefixes of one document, or another end than "<|end|>", make a `TokenOracle`.
        Raises: ValueError naming the first position that no document has, or for a tokenizer that does not encode word
        by word.
        """
        if self._oracle is None or self._oracle.tokenizer is not tokenizer:
            self._oracle = TokenOracle(self, tokenizer)
        return self._oracle.probs(ids)

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
        why = "." if words[low] else ": words are parted by single spaces, with none at either end."
        if low == 0:
            return f"no document opens with {words[0]!r}{why}"
        return f"word {low + 1}, {words[low]!r}, cannot follow {' '.join(words[max(0, low - 4) : low])!r}{why}"

    def label_probs(self, text: str, label: str) -> dict[Any, float]:
        """How likely each value of a label is, given the text: what the best possible classifier says.

        Raises: ValueError for a text that the world cannot produce, or a label that this text has not.
        """
        found = self._derivations(text)
        if not found:
            raise ValueError(self._complaint(text))
        total = _log_sum([log for log, _, _ in found])
        probs: dict[Any, float] = {}
        for log, _, story in found:
            truth = story.truth()
            if label not in truth:
                raise ValueError(f"the labels of this text are {', '.join(truth)}: {label!r} is not one.")
            value = truth[label]
            probs[value] = probs.get(value, 0.0) + math.exp(log - total)
        return probs

    def floor(self, texts: Sequence[str]) -> Floor:
        """The mean surprisal of `texts` under the world.

        Raises: ValueError for no texts, or for a text that the world cannot produce.
        """
        if isinstance(texts, str):
            raise ValueError(f"a floor takes a list of texts, not one text: {texts[:40]!r}.")
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
        for _ in range(whole_number("n", n, low=1)):
            document, tape = self._draw(random)
            values.append(-self.log_prob(document.text) + tape.log_prob + tape.entropy)
            n_bytes += len(document.text.encode())
        return _floor(values, n_bytes)


def _floor(nats: Sequence[float], n_bytes: int) -> Floor:
    n = len(nats)
    if n == 0:
        raise ValueError("a floor needs at least one text.")
    mean = math.fsum(nats) / n
    variance = math.fsum((x - mean) ** 2 for x in nats) / (n - 1) if n > 1 else math.inf
    return Floor(mean, mean * n / math.log(2) / n_bytes, n, math.sqrt(variance / n))


def _words(text: str) -> list[str]:
    """The words of `text`, which single spaces part; a misplaced space leaves an empty word, which no story has."""
    if not isinstance(text, str):
        raise ValueError(f"a text is a string, not {type(text).__name__}: {text!r}.")
    return text.split(" ") if text else []


def _log_sum(logs: Sequence[float]) -> float:
    if not logs:
        return -math.inf
    top = max(logs)
    return top + math.log(math.fsum(math.exp(log - top) for log in logs))
