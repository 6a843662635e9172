"""What decoding remembers: the keys and values of all tokens read so far."""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F


class LayerCache:
    """Keys and values of one layer: of the tokens read, and `of_memory` those of the encoder's vectors."""

    def __init__(self, of_memory: "LayerCache | None" = None) -> None:
        self.key: Tensor | None = None
        self.value: Tensor | None = None
        self.of_memory = of_memory

    def append(
        self, key: Float[Tensor, "B H T K"], value: Float[Tensor, "B H T K"]
    ) -> tuple[Float[Tensor, "B H S K"], Float[Tensor, "B H S K"]]:
        """All keys and values up to now, the new ones last."""
        if self.key is not None and self.value is not None:
            key, value = torch.cat((self.key, key), dim=2), torch.cat((self.value, value), dim=2)
        self.key, self.value = key, value
        return key, value

    def reorder(self, rows: Int[Tensor, " B"]) -> None:
        """Row i becomes what row `rows[i]` was."""
        if self.key is not None and self.value is not None:
            self.key, self.value = self.key[rows], self.value[rows]

    def truncate(self, length: int) -> None:
        """Forgets all but the first `length` tokens."""
        if self.key is not None and self.value is not None:
            self.key, self.value = self.key[:, :, :length], self.value[:, :, :length]


class KVCache:
    """Keys and values of every layer, and the positions that their tokens stand at.

    Its length is the number of tokens that it holds, so an empty cache is falsy: compare with None.
    """

    def __init__(self, n_layers: int) -> None:
        self.layers = [LayerCache(of_memory=LayerCache()) for _ in range(n_layers)]
        self.positions: Tensor | None = None
        self.vectors: Tensor | None = None  # of the tokens read, where a stack mixes neighbours

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
        self.vectors = vectors if self.vectors is None else torch.cat((self.vectors, vectors), dim=1)
        return F.pad(self.vectors, (0, 0, 1, 0))[:, -vectors.shape[1] - 1 : -1]

    def reorder(self, rows: Int[Tensor, " B"]) -> None:
        """Row i becomes what row `rows[i]` was: beam search moves its hypotheses with it."""
        if self.positions is not None:
            self.positions = self.positions[rows]
        if self.vectors is not None:
            self.vectors = self.vectors[rows]
        for layer in self.layers:
            for each in (layer, layer.of_memory):
                if each is not None:
                    each.reorder(rows)

    def truncate(self, length: int) -> None:
        """Forgets all but the first `length` tokens: a rejected draft leaves no trace."""
        if self.positions is not None:
            self.positions = self.positions[:, :length]
        if self.vectors is not None:
            self.vectors = self.vectors[:, :length]
        for layer in self.layers:
            layer.truncate(length)
