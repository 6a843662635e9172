"""What the world is asked with, and what it hands back: dials, documents, parses and floors."""

from collections.abc import Iterable, Mapping
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

    `stderr` is that of `nats_per_document`, infinite for a single text; bytes are UTF-8 bytes of the texts, without
    any separator.
    """

    nats_per_document: float
    bits_per_byte: float
    n_documents: int
    stderr: float


_RANGES: tuple[tuple[str, Any, float, float], ...] = (
    ("n_people", int, 6, 40),
    ("hops", int, 1, 6),
    ("bias", int | float, 0, 1),
    ("noise", int | float, 0, 1),
    ("held_out", int | float, 0, 0.5),
)


@dataclass(frozen=True, kw_only=True)
class Dials:
    """What can be turned. Each line says what turning it up does to the floor (in nats per document).

    n_people: size of the world, 6 to 40. Raises the floor: each new name costs about log(n_people) nats.
    hops: most hand-overs between lending and asking, 1 to 6. Raises the floor by the new names; and the answer to
        "who has it now?", which costs the floor nothing, depends on words further back. A world of n people stops at
        n - 2, for nobody gets a thing twice.
    bias: P(pronoun | job) of strangers is 1/2 + bias/2 for the pronoun that the job leans to, 0 to 1. Lowers the
        floor: a stranger's pronoun costs the entropy of that coin, log 2 at bias 0 and nothing at bias 1.
    noise: share of each choice that is uniform, 0 to 1. Raises the entropy of a choice, to that of an even one at 1;
        and so the floor, but for optional remarks: evenly told or not, they leave fewer words to guess. Facts stay
        true; reliability of people and planted bias are choices, and blur.
    held_out: share of the pairs of a person and a thing, 0 to 0.5, that never meet in the split "train": there, no
        story with that main person has that thing in it. Leaves the floor of the other splits as it is; that of
        training documents (`World.training`) falls by about -log(1 - held_out) for each thing in them, for what is
        left keeps its odds.
    plots: names of the plots that are told. The floor is the mean of the plots' own floors, weighted by how often they
        are told, plus the entropy of choosing one: leaving out a plot lowers the second part, and mostly the whole.
    """

    n_people: int = 16
    hops: int = 2
    bias: float = 0.6
    noise: float = 0.0
    held_out: float = 0.0
    plots: tuple[str, ...] = tuple(PLOTS)

    def __post_init__(self) -> None:
        for name, kind, low, high in _RANGES:
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, kind) or not low <= value <= high:
                number = "a whole number" if kind is int else "a number"
                raise ValueError(f"{name} is {number} from {low} to {high}: {name}={value!r}.")
        given: Any = self.plots
        plots = () if isinstance(given, str) or not isinstance(given, Iterable) else tuple(given)
        known = [plot for plot in plots if isinstance(plot, str) and plot in PLOTS]
        if not plots or len(set(known)) < len(plots):
            raise ValueError(f"plots are one or more of {', '.join(PLOTS)}, each once: plots={given!r}.")
        object.__setattr__(self, "plots", plots)
