"""When a text is over: after an end token, or after a certain run of tokens or of characters."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor


@dataclass(frozen=True)
class Ending:
    """The tokens that end a text, and the runs of tokens that do.

    Raises: ValueError for an empty run, which every text ends with.
    """

    eos: tuple[int, ...] = ()
    stop: tuple[tuple[int, ...], ...] = ()

    def __post_init__(self) -> None:
        if not all(self.stop):
            raise ValueError("A stop sequence must hold at least 1 token, not 0.")

    @classmethod
    def of(cls, eos: Sequence[int] = (), stop: Sequence[Sequence[int]] = ()) -> "Ending":
        """The same from any kind of sequences."""
        return cls(tuple(eos), tuple(map(tuple, stop)))

    @property
    def exists(self) -> bool:
        return bool(self.eos or self.stop)

    @property
    def filler(self) -> int:
        """What a text that is over goes on with, beside others that are not: a token that ends texts."""
        return self.eos[0] if self.eos else self.stop[0][-1]

    def met_by(self, new: Sequence[int]) -> bool:
        """Whether a text is over with the last of its new tokens."""
        return bool(new) and (new[-1] in self.eos or any(tuple(new[-len(run) :]) == run for run in self.stop))

    def met(self, new: Int[Tensor, "B N"]) -> Bool[Tensor, " B"]:
        """Which rows are over with the last of their new tokens."""
        over = torch.isin(new[:, -1], new.new_tensor(self.eos))
        for run in self.stop:
            if new.shape[1] >= len(run):
                over = over | (new[:, -len(run) :] == new.new_tensor(run)).all(dim=-1)
        return over


def until(pieces: Iterable[str], stops: Sequence[str]) -> Iterator[str]:
    """The pieces of a text up to the first of the `stops`, wherever the pieces part it.

    A piece that could be the beginning of a stop is held back until more is known.
    Raises: ValueError for an empty stop.
    """
    if not all(stops):
        raise ValueError("A stop text must hold at least 1 character, not 0.")
    held = ""
    for piece in pieces:
        held += piece
        found = [(at + len(stop), at) for stop in stops if (at := held.find(stop)) >= 0]
        if found:
            _, at = min(found)  # the stop that is complete first
            if at:
                yield held[:at]
            return
        ready = len(held) - max((_begun(held, stop) for stop in stops), default=0)
        if ready:
            yield held[:ready]
        held = held[ready:]
    if held:
        yield held


def _begun(text: str, stop: str) -> int:
    """How many characters at the end of the text could be the beginning of the stop."""
    return next((n for n in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:n])), 0)
