"""The microworld in a model's place: exact log-probabilities as logits, so that decoding can be held against them."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from llmcourse.world import World
from llmcourse.world.oracle import TokenOracle


@runtime_checkable
class Tokenizer(Protocol):
    """What the oracle asks of a tokenizer; and `specials`, which hold the end-of-document token."""

    @property
    def vocab_size(self) -> int: ...

    def encode(self, text: str) -> list[int]: ...


class ReadIds:
    """What the oracle remembers: the ids themselves."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, ...]] = []

    def __len__(self) -> int:
        return len(self.rows[0]) if self.rows else 0

    def append(self, ids: Int[Tensor, "B T"]) -> list[tuple[int, ...]]:
        """All ids of each row up to now."""
        before = self.rows or [()] * len(ids)
        self.rows = [(*old, *new) for old, new in zip(before, ids.tolist(), strict=True)]
        return self.rows

    def reorder(self, rows: Int[Tensor, " B"]) -> None:
        """Row i becomes what row `rows[i]` was."""
        self.rows = [self.rows[row] for row in rows.tolist()]

    def truncate(self, length: int) -> None:
        """Forgets all but the first `length` ids."""
        self.rows = [row[:length] for row in self.rows]


class OracleModel:
    """The world as a language model over a tokenizer's ids, for documents that begin with its end token.

    A document that is over goes on with its end; after ids that no document has, all tokens are equally likely.
    """

    def __init__(self, world: World, tokenizer: Tokenizer) -> None:
        self.vocab_size = tokenizer.vocab_size
        self._oracle = TokenOracle(world, tokenizer)
        self.end = self._oracle.end
        self._after = lru_cache(maxsize=2**14)(self._find_after)

    def __call__(self, ids: Int[Tensor, "B T"], cache: ReadIds | None = None) -> Float[Tensor, "B T V"]:
        rows = (ReadIds() if cache is None else cache).append(ids)
        first = len(rows[0]) - ids.shape[1]
        return torch.stack([torch.stack([self._after(row[: n + 1]) for n in range(first, len(row))]) for row in rows])

    def new_cache(self) -> ReadIds:
        """An empty memory."""
        return ReadIds()

    def _find_after(self, ids: tuple[int, ...]) -> Float[Tensor, " V"]:
        probs = torch.zeros(self.vocab_size, dtype=torch.float64)
        if self.end in ids[1:]:
            probs[self.end] = 1.0
        else:
            for token, p in self._possible(ids).items():
                probs[token] = p
        return probs.log()

    def _possible(self, ids: Sequence[int]) -> dict[int, float]:
        try:
            return self._oracle.probs(ids)
        except ValueError:
            return dict.fromkeys(range(self.vocab_size), 1 / self.vocab_size)
