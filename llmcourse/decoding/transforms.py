"""What may be done to logits before a token is drawn: small functions that compose."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor

LogitTransform = Callable[[Float[Tensor, "B V"], Int[Tensor, "B T"]], Float[Tensor, "B V"]]

REMOVED = float("-inf")  # the probability of a removed token is exactly zero


def compose(*transforms: LogitTransform) -> LogitTransform:
    """One transform that applies the given ones from left to right."""

    def composed(logits: Float[Tensor, "B V"], ids: Int[Tensor, "B T"]) -> Float[Tensor, "B V"]:
        for transform in transforms:
            logits = transform(logits, ids)
        return logits

    return composed


def temperature(t: float) -> LogitTransform:
    """Divide by `t`: below 1 sharpens the distribution, above 1 flattens it; 0 keeps only the likeliest token.

    Raises: ValueError for a negative t.
    Source: Ackley et al. 1985, section 2.
    """
    if t < 0:
        raise ValueError(f"temperature must not be negative, not {t}.")
    if t == 0:
        return top_k(1)
    return lambda logits, _: logits / t


def top_k(k: int) -> LogitTransform:
    """Keep the `k` likeliest tokens; of equals at the edge, those with the smaller ids.

    Raises: ValueError for k below 1.
    Source: Fan et al. 2018, section 5.3.
    """
    if k < 1:
        raise ValueError(f"top_k must keep at least 1 token, not {k}.")

    def transform(logits: Float[Tensor, "B V"], _: Int[Tensor, "B T"]) -> Float[Tensor, "B V"]:
        order = logits.argsort(dim=-1, descending=True, stable=True)
        return logits.scatter(-1, order[:, k:], REMOVED)

    return transform


def top_p(p: float) -> LogitTransform:
    """Keep the fewest likeliest tokens that together hold at least `p` of the mass.

    Raises: ValueError unless 0 < p <= 1.
    Source: Holtzman et al. 2020, section 3.1.
    """
    if not 0 < p <= 1:
        raise ValueError(f"top_p must lie in (0, 1], not {p}.")

    def transform(logits: Float[Tensor, "B V"], _: Int[Tensor, "B T"]) -> Float[Tensor, "B V"]:
        probs, order = logits.softmax(dim=-1).sort(dim=-1, descending=True, stable=True)
        mass_before = probs.cumsum(dim=-1) - probs
        surplus = mass_before >= p  # the token that crosses p stays
        return logits.masked_fill(surplus.gather(-1, order.argsort(dim=-1)), REMOVED)

    return transform


def min_p(p: float) -> LogitTransform:
    """Keep the tokens that have at least `p` times the probability of the likeliest.

    Raises: ValueError unless 0 <= p <= 1.
    Source: Nguyen et al. 2024, section 3.
    """
    if not 0 <= p <= 1:
        raise ValueError(f"min_p must lie in [0, 1], not {p}.")

    def transform(logits: Float[Tensor, "B V"], _: Int[Tensor, "B T"]) -> Float[Tensor, "B V"]:
        probs = logits.softmax(dim=-1)
        return logits.masked_fill(probs < p * probs.amax(dim=-1, keepdim=True), REMOVED)

    return transform


def repetition_penalty(penalty: float) -> LogitTransform:
    """Divide the positive logits of tokens that already stand in the text by `penalty`, multiply the negative ones.

    Raises: ValueError unless penalty > 0.
    Source: Keskar et al. 2019, section 4.1.
    """
    if penalty <= 0:
        raise ValueError(f"repetition_penalty must be positive, not {penalty}.")

    def transform(logits: Float[Tensor, "B V"], ids: Int[Tensor, "B T"]) -> Float[Tensor, "B V"]:
        seen = logits.gather(-1, ids)
        return logits.scatter(-1, ids, torch.where(seen > 0, seen / penalty, seen * penalty))

    return transform
