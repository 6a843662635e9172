"""Pairs of a person and a thing that training documents keep apart, so that a test can ask for something new."""

from collections.abc import Sequence

from llmcourse.world.lexicon import THINGS, Thing
from llmcourse.world.people import Person
from llmcourse.world.weights import stable_order

Pair = tuple[Person, Thing]


def held_out_pairs(seed: int, people: Sequence[Person], share: float) -> tuple[Pair, ...]:
    """The pairs of person and thing that are held out: `share` of each person's things, to the nearest one.

    Each person's are a stretch of one long row of things, and the stretches are spread evenly along it: so no thing
    loses much more than `share` of the people, and with half held out there is still somebody for every thing.
    """
    row = stable_order(THINGS, seed, "held out")
    n = round(share * len(row))
    starts = [i * len(row) // len(people) for i in range(len(people))]
    return tuple((p, row[(start + i) % len(row)]) for p, start in zip(people, starts, strict=True) for i in range(n))
