"""What the instructor decides about how submissions run: times, sizes, sandbox, class secret, withheld answers."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True)
class Options:
    """How one submission is executed. Everything here may change its result, so caches hash `to_json()`.

    `sandbox` names the tier: "auto" for the best that the machine gives, "none" to run without in so many words, or
    one of the tiers of `llmcourse.grading.sandbox`. `withheld` adds (dotted name, why) to what the notebook withholds.
    `payoffs` runs the instructor's cells behind the last answer and test too, on which no score hangs.
    """

    seconds_per_cell: float = 120.0
    seconds_in_all: float = 900.0
    memory_bytes: int = 4 * 2**30
    header_bytes: int = 8 * 2**20  # of one message between the two sides
    body_bytes: int = 128 * 2**20
    printed_characters: int = 20_000  # of one cell
    sandbox: str = "auto"
    secret: str | None = None
    withheld: tuple[tuple[str, str], ...] = ()
    payoffs: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "withheld", tuple((str(name), str(why)) for name, why in self.withheld))
        for field in ("seconds_per_cell", "seconds_in_all", "memory_bytes", "header_bytes", "body_bytes"):
            if getattr(self, field) <= 0:
                raise ValueError(f"{field} must be more than 0, not {getattr(self, field)}.")

    def to_json(self) -> dict[str, Any]:
        """Plain data, in a fixed order."""
        return {**asdict(self), "withheld": [list(pair) for pair in self.withheld]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Options":
        """The options that `to_json` described.

        Raises: ValueError for a name that is no option.
        """
        unknown = sorted(set(data) - {field.name for field in fields(cls)})
        if unknown:
            raise ValueError(f"{unknown[0]!r} is no option of the grader.")
        return cls(**{**data, "withheld": tuple(tuple(pair) for pair in data.get("withheld", ()))})
