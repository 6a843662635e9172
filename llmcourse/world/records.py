"""What the world is asked with, and what it hands back: dials, documents, parses and floors."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llmcourse.world.plots import PLOTS


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
