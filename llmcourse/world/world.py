"""A small invented place whose every story has a known probability."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from llmcourse.world.lexicon import JOBS, Job
from llmcourse.world.people import inhabitants
from llmcourse.world.plots import PLOTS, tell_story
from llmcourse.world.story import Story
from llmcourse.world.tape import Distribution, SampleTape, ScanTape
from llmcourse.world.tasks import task_records
from llmcourse.world.template import Piece, compile_template
from llmcourse.world.weights import normalised, stable_order, stable_random, stable_uniform

SPLITS = ("train", "valid", "test")


@dataclass(frozen=True)
class Document:
    """A text of the world and what is true of it."""

    text: str
    labels: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Parse:
    """The likeliest way in which the world tells a text: its choices as (rule, option) pairs, and what is true of it.

    `log_prob` is that of the text, over all `n_derivations`, in nats.
    """

    choices: tuple[tuple[str, int], ...]
    labels: Mapping[str, Any]
    log_prob: float
    n_derivations: int


@dataclass(frozen=True)
class Floor:
    """The mean surprisal of texts under the world itself: no model's mean loss is lower on average.

    `stderr` is that of `nats_per_document`; bytes are UTF-8 bytes of the texts, without any separator.
    """

    nats_per_document: float
    bits_per_byte: float
    n_documents: int
    stderr: float


@dataclass(frozen=True, kw_only=True)
class Dials:
    """What can be turned. Each line says what turning it up does to the floor (in nats per document).

    n_people: size of the world, 6 to 40. Raises the floor: each new name costs about log(n_people) nats.
    hops: most hand-overs between lending and asking, 1 to 6. Raises the floor by the new names; and the answer to
        "who has it now?", which costs the floor nothing, depends on words further back.
    bias: P(pronoun | job) of strangers is 1/2 + bias/2 for the pronoun that the job leans to, 0 to 1. Lowers the
        floor: a stranger's pronoun costs the entropy of that coin, log 2 at bias 0 and nothing at bias 1.
    noise: share of each choice that is uniform, 0 to 1. Raises the floor to that of even choices at 1. Facts stay
        true; reliability of people and planted bias are choices, and blur.
    plots: names of the plots that are told; fewer plots, lower floor.
    """

    n_people: int = 16
    hops: int = 2
    bias: float = 0.6
    noise: float = 0.0
    plots: tuple[str, ...] = tuple(PLOTS)

    def __post_init__(self) -> None:
        for name, low, high in (("n_people", 6, 40), ("hops", 1, 6), ("bias", 0, 1), ("noise", 0, 1)):
            value = getattr(self, name)
            whole = isinstance(value, int) or name in ("bias", "noise")
            if isinstance(value, bool) or not isinstance(value, int | float) or not whole or not low <= value <= high:
                kind = "a number" if name in ("bias", "noise") else "a whole number"
                raise ValueError(f"{name} is {kind} from {low} to {high}: {name}={value!r}.")
        object.__setattr__(self, "plots", tuple(self.plots))
        unknown = [p for p in self.plots if p not in PLOTS]
        if unknown or not self.plots:
            raise ValueError(f"plots are one or more of {', '.join(PLOTS)}: plots={self.plots!r}.")


class World:
    """A place with its people, facts and habits; `seed` fixes all of them, and every probability.

    Splits are disjoint random streams from one distribution: each (split, seed) pair seeds its own stream, so "test"
    says nothing about "train" but the world itself. `documents(5)` are the first five of `documents(10)`.
    """

    def __init__(self, seed: int = 0, **dials: Any) -> None:
        unknown = [d for d in dials if d not in Dials.__dataclass_fields__]
        if unknown:
            raise ValueError(f"the dials are {', '.join(Dials.__dataclass_fields__)}: {unknown[0]!r} is not one.")
        self.seed, self.dials = seed, Dials(**dials)
        self.people = inhabitants(seed, self.dials.n_people)
        self._she_jobs = frozenset(stable_order(JOBS, seed, "bias")[: len(JOBS) // 2])
        self._tell: Callable[[Story], None] = tell_story
        self._distributions: dict[Any, Distribution] = {}
        self._groups: dict[Any, tuple[Distribution, list[tuple[Piece, ...]], list[Any]]] = {}
        self._people_but: dict[tuple[Any, ...], Distribution] = {}
        self._wordings: dict[str, tuple[tuple[str, ...], Distribution, list[tuple[Piece, ...]]]] = {}

    def __repr__(self) -> str:
        return f"World(seed={self.seed}, {self.dials})"

    # -- what stories draw from ----------------------------------------------------------------------------------
    def distribution(self, rule: str, options: tuple[Any, ...], probs: tuple[float, ...] | None = None) -> Distribution:
        """The distribution of `rule` over `options`: with `probs`, or with the world's own weights for this rule."""
        key = (rule, options, probs)
        found = self._distributions.get(key)
        if found is None:
            weights = probs or [self.weight(rule, getattr(o, "key", o)) for o in options]
            found = self._distributions[key] = Distribution(rule, options, normalised(weights, self.dials.noise))
        return found

    def people_but(self, cast: tuple[Any, ...]) -> Distribution:
        """The distribution over the people who are not in `cast`."""
        found = self._people_but.get(cast)
        if found is None:
            found = self._people_but[cast] = self.distribution("people", tuple(p for p in self.people if p not in cast))
        return found

    def exact(self, rule: str, options: tuple[Any, ...], probs: tuple[float, ...]) -> Distribution:
        """The distribution of `rule` with exactly these probabilities: noise is not added."""
        key = (rule, tuple((o.job.name, o.pronoun) for o in options), probs)
        found = self._distributions.get(key)
        if found is None:
            found = self._distributions[key] = Distribution(rule, options, probs)
        return found

    def weight(self, rule: str, option: object) -> float:
        """The weight of one option, from 0.5 to 2; it hangs on ids, never on wording."""
        return 0.5 + 1.5 * stable_uniform(self.seed, "weight", rule, option)

    def wordings(self, rule: str, templates: tuple[str, ...]) -> tuple[Distribution, list[tuple[Piece, ...]]]:
        """The distribution over the templates of `rule`, and the templates compiled."""
        found = self._wordings.get(rule)
        if found is None:
            weights = [self.weight(rule, i) for i in range(len(templates))]
            dist = Distribution(rule, range(len(templates)), normalised(weights, self.dials.noise))
            found = self._wordings[rule] = templates, dist, [compile_template(t) for t in templates]
        assert found[0] == templates, f"rule {rule} is used for two sets of templates"
        return found[1], found[2]

    def grouped(
        self, rule: str, groups: Mapping[Any, tuple[str, ...]], probs: tuple[float, ...]
    ) -> tuple[Distribution, list[tuple[Piece, ...]], list[Any]]:
        """Templates in groups: a group by `probs`, then one of its templates by the world's weights."""
        key = (rule, tuple(groups.items()), probs)
        found = self._groups.get(key)
        if found is None:
            shares, labels, compiled = [], [], []
            for (label, templates), p in zip(groups.items(), normalised(probs, self.dials.noise), strict=True):
                inner, pieces = self.wordings(f"{rule}.{label}", templates)
                shares += [p * q for q in inner.probs]
                labels += [label] * len(templates)
                compiled += pieces
            found = self._groups[key] = Distribution(rule, labels, shares), compiled, labels
        return found

    def pronoun_probs(self, job: Job | str) -> dict[str, float]:
        """P(pronoun | job) of a stranger: the planted bias, exactly.

        Raises: ValueError for a job that is not in the world.
        """
        name = job if isinstance(job, str) else job.name
        lean = {j.name: "she" if j in self._she_jobs else "he" for j in JOBS}.get(name)
        if lean is None:
            raise ValueError(f"the jobs are {', '.join(j.name for j in JOBS)}: {name!r} is not one.")
        more = 0.5 + self.dials.bias / 2
        probs = normalised([more, 1 - more] if lean == "she" else [1 - more, more], self.dials.noise)
        return dict(zip(("she", "he"), probs, strict=True))

    @property
    def moods(self) -> tuple[str, ...]:
        """The labels of the mood task."""
        from llmcourse.world.codas import MOODS

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
