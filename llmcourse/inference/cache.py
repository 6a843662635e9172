"""Keys and values of all layers in one tensor with room behind them: a new token is written, and nothing is moved."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


class InPlaceCache:
    """What a `FusedDecoder` has read. Its length is a number of tokens, so an empty one is falsy: compare with None."""

    def __init__(self, n_layers: int, n_heads: int, d_head: int) -> None:
        self.ids: Tensor | None = None  # of the tokens read, kept where a stack mixes neighbours
        self._sizes = (n_layers, n_heads, d_head)
        self._room = torch.empty(n_layers, 2, 0, n_heads, 0, d_head)
        self._layers: list[tuple[Tensor, Tensor, Tensor]] = []
        self._start = self._length = 0

    def __len__(self) -> int:
        return self._length

    def begin(self, n_rows: int, n_new: int, like: Tensor) -> None:
        """Makes room for new tokens, which every layer is to write next; `like` has the type of their numbers."""
        self._start, self._length = self._length, self._length + n_new
        if n_rows == self._room.shape[2] and self._length <= self._room.shape[4]:
            return
        n_layers, n_heads, d_head = self._sizes
        room = like.new_empty(n_layers, 2, n_rows, n_heads, 2 * self._length, d_head)
        if self._start:
            room.narrow(4, 0, self._start).copy_(self._room.narrow(4, 0, self._start))
        self._move_to(room)

    def write(
        self, layer: int, new: Float[Tensor, "2 B H T K"]
    ) -> tuple[Float[Tensor, "BH S K"], Float[Tensor, "BH S K"]]:
        """All keys and all values of a layer, the new ones last; views, which last until the next change."""
        room, keys, values = self._layers[layer]
        room.narrow(3, self._start, self._length - self._start).copy_(new)
        return keys.narrow(1, 0, self._length), values.narrow(1, 0, self._length)

    @torch.inference_mode()
    def reorder(self, rows: Int[Tensor, " B"]) -> None:
        """Row i becomes what row `rows[i]` was."""
        self._move_to(self._room.index_select(2, rows))
        if self.ids is not None:
            self.ids = self.ids[rows]

    def keep(self, tokens: Int[Tensor, " S"]) -> None:
        """Forgets all tokens but these, which are given in their order; those before the first gap stay in place."""
        stay = int((tokens == torch.arange(len(tokens), device=tokens.device)).sum())
        self._room.narrow(4, stay, len(tokens) - stay).copy_(self._room.index_select(4, tokens[stay:]))
        self._length = len(tokens)

    def truncate(self, length: int) -> None:
        """Forgets all but the first `length` tokens: a rejected draft leaves no trace."""
        self._length = min(self._length, length)
        if self.ids is not None:
            self.ids = self.ids[:, :length]

    def _move_to(self, room: Tensor) -> None:
        self._room = room
        self._layers = [(layer, layer[0].flatten(0, 1), layer[1].flatten(0, 1)) for layer in room]
