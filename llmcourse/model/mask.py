"""Who may read whom: True means that the query may read the key."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


def causal(n_queries: int, n_keys: int, device: torch.device | None = None) -> Bool[Tensor, "1 1 T S"]:
    """A mask in which a token reads itself and what came before; the queries are the last of the keys."""
    may_read = torch.ones(n_queries, n_keys, dtype=torch.bool, device=device)
    return may_read.tril(n_keys - n_queries)[None, None]


def before(
    n_queries: int, n_keys: int, is_real: Bool[Tensor, "B S"] | None, device: torch.device
) -> Bool[Tensor, "#B 1 #T S"] | None:
    """The causal mask, less the padding among the keys; None where the last token alone asks, and may read all."""
    may_read = causal(n_queries, n_keys, device) if n_queries > 1 else None
    if is_real is None:
        return may_read
    real_keys = is_real[:, None, None, :]
    return real_keys if may_read is None else may_read & real_keys


def score_bias(
    may_read: Bool[Tensor, "#B 1 #T S"] | None, position_bias: Float[Tensor, "#B H T S"] | None, dtype: torch.dtype
) -> Float[Tensor, "#B #H #T S"] | None:
    """What to add to the scores: the position's bias where reading is allowed, and the lowest number elsewhere."""
    if may_read is None:
        return position_bias
    bias = torch.zeros((), dtype=dtype, device=may_read.device) if position_bias is None else position_bias
    lowest = torch.finfo(dtype).min  # finite: a fully masked row is uniform, not NaN
    return torch.where(may_read, bias.to(dtype), lowest)


def positions_of(is_real: Bool[Tensor, "B S"]) -> Int[Tensor, "B S"]:
    """Positions that count real tokens only, so that padding on either side moves nothing."""
    return (is_real.long().cumsum(dim=-1) - 1).clamp(min=0)
