"""What decoding remembers: the keys and values of all tokens read so far."""

from collections.abc import Iterator

import torch
from jaxtyping import Float, Int
from torch import Tensor


class Growing:
    """A tensor that grows along its last dimension but one, as if by `torch.cat`.

    Room is kept free behind it, so that what is new is mostly written in place and what is old is not copied. Where
    gradients are wanted it is `torch.cat`, since none flow through what is written in place.
    """

    def __init__(self) -> None:
        self._room: Tensor | None = None
        self._spare: Tensor | None = None  # the room before the last reordering, to be used again by the next
        self._length = 0

    @property
    def whole(self) -> Tensor | None:
        """What it has grown to; a view, which lasts until the next change."""
        return None if self._room is None else self._room.narrow(-2, 0, self._length)

    def append(self, new: Tensor) -> Tensor:
        """All up to now, the new last."""
        old, start = self.whole, self._length
        self._length += new.shape[-2]
        if new.requires_grad or (old is not None and old.requires_grad):
            self._room = new if old is None else torch.cat((old, new), dim=-2)
        else:
            if self._room is None or self._length > self._room.shape[-2]:
                self._room = new.new_empty(*new.shape[:-2], 2 * self._length, new.shape[-1])
                if old is not None:
                    self._room.narrow(-2, 0, start).copy_(old)
            self._room.narrow(-2, start, new.shape[-2]).copy_(new)
        return self._room.narrow(-2, 0, self._length)

    def reorder(self, rows: Int[Tensor, " B"]) -> None:
        """Row i becomes what row `rows[i]` was."""
        old = self.whole
        if old is None or self._room is None:
            return
        if old.requires_grad:
            self._room = old[rows]
        else:
            shape = (len(rows), *self._room.shape[1:])  # the room stays free
            spare = self._spare
            if spare is None or spare.shape != shape:
                spare = old.new_empty(shape)
            torch.index_select(old, 0, rows, out=spare.narrow(-2, 0, self._length))
            self._room, self._spare = spare, self._room

    def truncate(self, length: int) -> None:
        """Forgets all but the first `length`."""
        self._length = min(self._length, length)


class LayerCache:
    """Keys and values of one layer: of the tokens read, and `of_memory` those of the encoder's vectors."""

    def __init__(self, of_memory: "LayerCache | None" = None) -> None:
        self.keys, self.values = Growing(), Growing()
        self.of_memory = of_memory

    @property
    def key(self) -> Tensor | None:
        return self.keys.whole

    @property
    def value(self) -> Tensor | None:
        return self.values.whole

    def append(
        self, key: Float[Tensor, "B H T K"], value: Float[Tensor, "B H T K"]
    ) -> tuple[Float[Tensor, "B H S K"], Float[Tensor, "B H S K"]]:
        """All keys and values up to now, the new ones last."""
        return self.keys.append(key), self.values.append(value)


class KVCache:
    """Keys and values of every layer, and the positions that their tokens stand at.

    Its length is the number of tokens that it holds, so an empty cache is falsy: compare with None.
    """

    def __init__(self, n_layers: int) -> None:
        self.layers = [LayerCache(of_memory=LayerCache()) for _ in range(n_layers)]
        self.positions: Tensor | None = None
        self.vectors = Growing()  # of the tokens read, where a stack mixes neighbours

    def __len__(self) -> int:
        return 0 if self.positions is None else self.positions.shape[-1]

    def append_positions(self, positions: Int[Tensor, "B T"]) -> Int[Tensor, "B S"]:
        """The positions of all keys, the new ones last."""
        if self.positions is not None:
            positions = torch.cat((self.positions, positions), dim=-1)
        self.positions = positions
        return positions

    def vectors_before(self, vectors: Float[Tensor, "B T D"]) -> Float[Tensor, "B T D"]:
        """For each of these vectors the one before it; zeros before the very first."""
        old = self.vectors.whole
        before = torch.zeros_like(vectors[:, :1]) if old is None else old[:, -1:].clone()
        self.vectors.append(vectors)
        return torch.cat((before, vectors[:, :-1]), dim=1)

    def reorder(self, rows: Int[Tensor, " B"]) -> None:
        """Row i becomes what row `rows[i]` was: beam search moves its hypotheses with it."""
        if self.positions is None or rows.tolist() == list(range(len(self.positions))):
            return  # each stays where it is
        self.positions = self.positions[rows]
        for growing in self._growing():
            growing.reorder(rows)

    def truncate(self, length: int) -> None:
        """Forgets all but the first `length` tokens: a rejected draft leaves no trace."""
        if self.positions is not None:
            self.positions = self.positions[:, :length]
        self.vectors.truncate(length)
        for layer in self.layers:
            layer.keys.truncate(length)
            layer.values.truncate(length)

    def _growing(self) -> Iterator[Growing]:
        yield self.vectors
        for layer in self.layers:
            for each in (layer, layer.of_memory):
                if each is not None:
                    yield from (each.keys, each.values)
