"""Keys and values of rows that grow from one, as beams do: a token that rows have in common is kept and read once."""

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from llmcourse.inference.cache import InPlaceCache

PATIENCE = 32  # new tokens from one search for those that no row reads any longer to the next


class TreeCache:
    """What a `FusedDecoder` has read for rows that are branches of a tree, so that another order moves no keys.

    The tokens of all rows lie in one, one after another, and each branch knows which of them are its own.
    """

    def __init__(self, tokens: InPlaceCache) -> None:
        self.tokens = tokens
        self.positions: Int[Tensor, " S"] = torch.empty(0, dtype=torch.long)
        self.ids: Tensor | None = None  # of each row's tokens, kept where a stack mixes neighbours
        self._reads: Bool[Tensor, "B S"] = torch.empty(0, 0, dtype=torch.bool)
        self._length = self._n_searched = 0

    def __len__(self) -> int:
        return self._length  # of a row

    def begin(self, positions: Int[Tensor, "B N"], like: Tensor) -> Bool[Tensor, "BN S"]:
        """Makes room for new tokens at these positions; which of all tokens each of the new ones may read."""
        n_rows, n_new = positions.shape
        same_row = torch.eye(n_rows, dtype=torch.bool, device=positions.device)
        if n_new > 1:
            same_row = same_row.repeat_interleave(n_new, dim=0).repeat_interleave(n_new, dim=1)
        may_read, all_positions = same_row.tril(), positions.flatten()
        if self._length:
            may_read = torch.cat((self._reads.repeat_interleave(n_new, dim=0), may_read), dim=1)
            all_positions = torch.cat((self.positions, all_positions))
        self.tokens.begin(1, n_rows * n_new, like)
        self.positions, self._reads = all_positions, may_read[n_new - 1 :: n_new]
        self._length += n_new
        return may_read

    @torch.inference_mode()
    def reorder(self, rows: Int[Tensor, " B"]) -> None:
        """Row i becomes what row `rows[i]` was."""
        self._reads = self._reads.index_select(0, rows)
        if self.ids is not None:
            self.ids = self.ids[rows]
        if len(self.tokens) >= self._n_searched + PATIENCE:
            self._keep(self._reads.any(dim=0))

    @torch.inference_mode()
    def truncate(self, length: int) -> None:
        """Forgets all but the first `length` tokens of each row."""
        self._keep(self.positions < length)  # without padding, a position is a number of tokens
        self._length = min(self._length, length)
        if self.ids is not None:
            self.ids = self.ids[:, :length]

    def _keep(self, is_kept: Bool[Tensor, " S"]) -> None:
        kept = is_kept.nonzero()[:, 0]
        self.tokens.keep(kept)
        self.positions, self._reads = self.positions[kept], self._reads[:, kept]
        self._n_searched = len(kept)
