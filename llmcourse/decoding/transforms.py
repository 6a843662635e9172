"""What may be done to logits before a token is drawn: small functions that compose."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor

# from the logits of the next token and the ids so far, PADDING among them where a row is shorter than others
LogitTransform = Callable[[Float[Tensor, "B V"], Int[Tensor, "B T"]], Float[Tensor, "B V"]]

REMOVED = float("-inf")  # the probability of a removed token is exactly zero
PADDING = -1  # no token at all, so that what stands left of a prompt is not penalised


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
    Source: Fan et al. 2018.
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
    Source: Holtzman et al. 2020.
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
    Source: Nguyen et al. 2024.
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
    Source: Keskar et al. 2019, who divide every logit; minding the sign is from the transformers library.
    """
    if penalty <= 0:
        raise ValueError(f"repetition_penalty must be positive, not {penalty}.")

    def transform(logits: Float[Tensor, "B V"], ids: Int[Tensor, "B T"]) -> Float[Tensor, "B V"]:
        penalised = torch.where(logits > 0, logits / penalty, logits * penalty)
        return torch.where(_counts(logits, ids) > 0, penalised, logits)

    return transform


def presence_penalty(penalty: float) -> LogitTransform:
    """Subtract `penalty` from the logits of tokens that already stand in the text, however often."""
    return lambda logits, ids: logits - penalty * (_counts(logits, ids) > 0)


def frequency_penalty(penalty: float) -> LogitTransform:
    """Subtract `penalty` from a token's logit once for each time that it already stands in the text."""
    return lambda logits, ids: logits - penalty * _counts(logits, ids)


def no_repeat_ngram(n: int) -> LogitTransform:
    """Remove each token that would end a run of `n` tokens which the text already holds.

    Raises: ValueError for n below 1.
    Source: Paulus et al. 2017, for n = 3.
    """
    if n < 1:
        raise ValueError(f"no_repeat_ngram needs runs of at least 1 token, not {n}.")

    def transform(logits: Float[Tensor, "B V"], ids: Int[Tensor, "B T"]) -> Float[Tensor, "B V"]:
        if ids.shape[1] < n:
            return logits
        runs = ids.unfold(1, n, 1)  # B T-n+1 n
        begun = ids[:, None, ids.shape[1] - n + 1 :]  # what the text ends with, one token short of a run
        is_begun = (runs[..., :-1] == begun).all(dim=-1)
        return logits.masked_fill(_counts(logits, torch.where(is_begun, runs[..., -1], PADDING)) > 0, REMOVED)

    return transform


def _counts(logits: Float[Tensor, "B V"], ids: Int[Tensor, "B T"]) -> Float[Tensor, "B V"]:
    """How often each token of the vocabulary stands among the ids."""
    return torch.zeros_like(logits).scatter_add(-1, ids.clamp(min=0), (ids != PADDING).to(logits.dtype))
