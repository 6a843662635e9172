"""Checks of masks and biases: who may read whom, and how scores are told."""

import random

import torch
from torch import Tensor

from llmcourse.checks.core import (
    CheckFailed,
    Function,
    Mistake,
    call,
    expect_shape,
    expect_tensor,
    name_the_mistake,
    sizes,
)

AREA = "attention"
LOW = -1e4  # exp(-1e4) is 0 even in float64, next to any score that a model makes


def check_causal_mask(causal_mask: Function, seed: int = 0) -> None:
    """A query reads its own position and earlier ones; with more keys than queries, the queries are the last ones."""
    t, s = sorted(sizes(seed, 2))
    for n_queries, n_keys in ((t, t), (t, s), (1, s)):
        actual = expect_tensor(AREA, "causal_mask", call(AREA, causal_mask, n_queries, n_keys))
        expect_shape(AREA, "causal_mask", actual, (n_queries, n_keys), "T S")
        expect_bool(actual, n_queries, n_keys)


def expect_bool(actual: Tensor, n_queries: int, n_keys: int) -> None:
    """Raises: CheckFailed unless the mask holds True and False in the right places."""
    late = n_keys - n_queries
    expected = torch.tensor([[s <= t + late for s in range(n_keys)] for t in range(n_queries)])
    if actual.dtype != torch.bool:
        message = f"causal_mask should hold True and False (torch.bool), but its dtype is {actual.dtype}."
        raise CheckFailed("attention.mask-not-bool", message)
    if torch.equal(actual, expected):
        return
    size = f"For {n_queries} queries and {n_keys} keys"
    everything = torch.ones_like(expected)
    name_the_mistake(
        actual,
        [
            Mistake(
                "attention.mask-inverted",
                f"{size} the mask is upside down: True means that the query MAY read the key.",
                lambda: ~expected,
            ),
            Mistake(
                "attention.mask-offset",
                f"{size} the first query is token {late}, not token 0: it has {late} earlier keys to read. "
                "Shift the diagonal by n_keys - n_queries.",
                lambda: everything.tril(),
            ),
            Mistake(
                "attention.mask-diagonal",
                f"{size} no token may read itself: the diagonal is off by one.",
                lambda: everything.tril(late - 1),
            ),
            Mistake(
                "attention.mask-next-token",
                f"{size} each token may read the next one, the very token it must predict: the diagonal is off by one.",
                lambda: everything.tril(late + 1),
            ),
            Mistake(
                "attention.mask-transposed",
                f"{size} a token reads its future instead of its past: rows are queries, columns are keys.",
                lambda: everything.triu(late),
            ),
        ],
    )
    t, s = (int(i) for i in (actual != expected).nonzero()[0])
    wrong, right = ("may", "may not") if actual[t, s] else ("may not", "may")
    message = f"{size}, query {t} {wrong} read key {s} in your mask; it {right}."
    raise CheckFailed("attention.mask-values", message)


def check_bias(mask_to_bias: Function, seed: int = 0) -> None:
    """Adding the bias leaves allowed scores as they are, and sends the others so low that their weight is 0."""
    t, s = sizes(seed, 2)
    may_read = random_mask(seed, t, s)
    bias = expect_tensor(AREA, "mask_to_bias", call(AREA, mask_to_bias, may_read))
    expect_shape(AREA, "mask_to_bias", bias, may_read.shape, "T S")
    if not bias.is_floating_point():
        raise CheckFailed(
            "attention.bias-dtype", f"A bias is added to scores, so it is made of floats, not {bias.dtype}."
        )
    if bias.isnan().any():
        message = "The bias holds NaN: 0 * -inf is not a number. Choose between two values (torch.where, masked_fill)."
        raise CheckFailed("attention.bias-nan", message)
    allowed, forbidden = bias[may_read], bias[~may_read]
    if (allowed <= LOW).all() and (forbidden == 0).all():
        message = (
            "The bias forbids what is allowed, and allows the rest: True in `may_read` means that reading is allowed."
        )
        raise CheckFailed("attention.bias-inverted", message)
    if (allowed != 0).any():
        found = allowed[allowed != 0][0].item()
        message = f"Where reading is allowed the bias must be 0, which changes no score; yours is {found:g}."
        raise CheckFailed("attention.bias-changes-allowed", message)
    if (forbidden > LOW).any():
        highest = forbidden.max().item()
        message = (
            f"Where reading is forbidden the bias is {highest:g}, and exp({highest:g}) is still a weight that counts. "
            "Only a score of -inf (or a hugely negative one) becomes a weight of 0."
        )
        raise CheckFailed("attention.bias-not-low", message)


def random_mask(seed: int, n_queries: int, n_keys: int) -> Tensor:
    """A mask with no pattern, in which each query may read at least one key and misses at least one."""
    dice = random.Random(f"mask {seed}")
    rows = []
    for _ in range(n_queries):
        n_read = dice.randint(1, n_keys - 1)
        row = [True] * n_read + [False] * (n_keys - n_read)
        dice.shuffle(row)
        rows.append(row)
    return torch.tensor(rows)
