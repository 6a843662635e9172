"""Frequencies that the world plants, as its stories show them, and how far chance alone takes a count from its mean."""

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from random import Random
from typing import Any

from llmcourse.world import Document, World
from llmcourse.world.lexicon import DAYS, JOBS, SKIES
from llmcourse.world.story import Story
from llmcourse.world.tape import Distribution, SampleTape
from llmcourse.world.weights import normalised, stable_random

ONCE_IN = 10_000  # families of counts from a true world, at most one is called false

Counts = dict[str, Counter[str]]
Draws = dict[Distribution, list[int]]


class CountingTape(SampleTape):
    """Draws as the world does, and counts what came of each distribution."""

    def __init__(self, random: Random, draws: Draws) -> None:
        super().__init__(random)
        self._draws = draws

    def choose(self, dist: Distribution) -> int:
        i = super().choose(dist)
        self._draws.setdefault(dist, [0] * len(dist.options))[i] += 1
        return i


def count(world: World, n: int, split: str, seed: int) -> tuple[Counts, Draws]:
    """What `world.documents(n, split, seed)` show of the planted frequencies, and how each choice of theirs fell."""
    random = stable_random("documents", world.seed, split, seed)
    counts: Counts = {}
    draws: Draws = {}
    for _ in range(n):
        tape = CountingTape(random, draws)
        story = Story(world, tape)
        world._tell(story)
        for quantity, option in shown(world, story.truth()):
            counts.setdefault(quantity, Counter())[option] += 1
    return counts, draws


def shown(world: World, labels: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """The planted quantities that a story shows, each with the value that it took."""
    plot = labels["plot"]
    yield "plot", plot
    yield "day", labels["day"]
    yield "weather", labels["weather"]
    if plot == "stranger":
        yield "job of a visitor", labels["job"]
        yield f"pronoun of a {labels['job']}", labels["pronoun"]
        yield "pronoun of a visitor", "likelier" if labels["pronoun"] == likelier(world, labels["job"]) else "other"
    elif plot == "lend":
        yield "hand-overs", str(labels["hops"])
        maker = next(answer for _, question, answer in labels["questions"] if question.startswith("Who promised"))
        yield f"{maker} brings back what was lent", str(labels["kept"])
    elif plot == "vote":
        yield f"{labels['winner']} keeps a pledge", str(labels["kept"])


def likelier(world: World, job: str) -> str:
    """The pronoun that a job leans to."""
    probs = world.pronoun_probs(job)
    return max(probs, key=probs.__getitem__)


def planted(world: World) -> dict[str, dict[str, float]]:
    """The exact probability of each value of each quantity that `shown` tells of."""
    expected = {
        name: {key(option): p for option, p in zip(options, world.distribution(rule, options).probs, strict=True)}
        for name, rule, options, key in (
            ("plot", "plot", world.dials.plots, str),
            ("day", "day", DAYS, str),
            ("weather", "sky", SKIES, lambda sky: sky.key),
            ("job of a visitor", "stranger.job", JOBS, lambda job: job.name),
        )
    }
    probs = world.pronoun_probs(JOBS[0])
    expected["pronoun of a visitor"] = {"likelier": max(probs.values()), "other": min(probs.values())}
    hops = world.dials.hops
    expected["hand-overs"] = {str(n): 1 / (hops + 1) for n in range(hops + 1)}
    for job in JOBS:
        expected[f"pronoun of a {job.name}"] = world.pronoun_probs(job)
    for person in world.people:
        kept, broken = normalised([person.reliability, 1 - person.reliability], world.dials.noise)
        for what in ("brings back what was lent", "keeps a pledge"):
            expected[f"{person} {what}"] = {"True": kept, "False": broken}
    return expected


def surprise(count: int, n: int, p: float) -> float:
    """How unlikely it is, in nats, that `n` draws of probability `p` come out so often, or further from their mean.

    Source: Chernoff's bound: either tail has at most the probability exp(-n KL(count/n, p)), whatever n and p.
    """
    parts = ((count, p), (n - count, 1 - p))
    return math.fsum(math.inf if q <= 0 else k * math.log(k / (n * q)) for k, q in parts if k)


def allowed(n_counts: int) -> float:
    """The surprise that the most surprising of so many counts stays below but once in `ONCE_IN` families."""
    return math.log(2 * n_counts * ONCE_IN)


def surprises(counts: Mapping[str, Mapping[str, int]], expected: Mapping[str, Mapping[str, float]]) -> list[float]:
    """The surprise of each count of each quantity, unforeseen values included."""
    return [
        surprise(seen.get(option, 0), sum(seen.values()), expected[quantity].get(option, 0.0))
        for quantity, seen in counts.items()
        for option in {**dict.fromkeys(seen, 0.0), **expected[quantity]}
    ]


def digest(documents: Iterable[Document]) -> str:
    """Which documents these are."""
    return hashlib.sha256("\n".join(document.text for document in documents).encode()).hexdigest()
