"""Checks of attention step by step: scores, mask, weights, values, heads, and the whole layer."""

import torch
from torch import Tensor

from llmcourse.checks.core import (
    CheckFailed,
    Function,
    Mistake,
    call,
    close,
    expect_shape,
    expect_tensor,
    judge,
    name_of,
    name_the_mistake,
    normal,
    sizes,
)
from llmcourse.checks.heads import check_merge_heads, check_split_heads
from llmcourse.checks.masks import check_bias, check_causal_mask, random_mask
from llmcourse.checks.padding import check_padding
from llmcourse.checks.self_attention import check_batch_rows_apart, check_dropout, check_no_future, check_self_attention

__all__ = [
    "check_batch_rows_apart",
    "check_bias",
    "check_causal_mask",
    "check_dropout",
    "check_merge_heads",
    "check_no_future",
    "check_padding",
    "check_read_values",
    "check_scores",
    "check_self_attention",
    "check_split_heads",
    "check_weights",
]

AREA = "attention"
SCALE = "Divide the scores by the square root of the head width K: {}."
UPSIDE_DOWN = "You forbid what is allowed, and allow what is forbidden: -inf in the bias marks forbidden keys."


def check_scores(attention_scores: Function, seed: int = 0) -> None:
    """Scores are dot products of queries and keys, over the root of the head width."""
    b, h, t, s, k = sizes(seed, 5)
    query, key = normal(seed, b, h, t, k), normal(seed + 1, b, h, s, k)
    products = query.double() @ key.double().mT
    expected = products / k**0.5
    turned = (
        "Rows should be queries and columns keys; yours are the other way round. Which of the two do you transpose?"
    )
    mistakes = [
        Mistake("attention.no-scale", SCALE.format("these are the bare dot products"), lambda: products),
        Mistake("attention.scale-by-width", SCALE.format("you divide by K itself"), lambda: products / k),
        Mistake(
            "attention.scale-by-model-width",
            SCALE.format("you divide by the root of the model width, H times K; each head sees only its own K numbers"),
            lambda: products / (h * k) ** 0.5,
        ),
        Mistake("attention.scale-inverted", SCALE.format("you multiply instead"), lambda: products * k**0.5),
        Mistake("attention.scale-by-keys", SCALE.format("you divide by the root of S"), lambda: products / s**0.5),
        Mistake("attention.query-key-swapped", turned, lambda: expected.mT),
    ]
    judge(AREA, "attention_scores", call(AREA, attention_scores, query, key), expected, "B H T S", mistakes)


def check_weights(attention_weights: Function, seed: int = 0) -> None:
    """Weights are a softmax over the keys, of scores that carry the bias before the softmax."""
    b, h, t, s = sizes(seed, 4)
    scores = normal(seed, b, h, t, s)
    may_read = random_mask(seed, t, s)
    # penalties that differ from head to head, as ALiBi has them: a bias is more than a mask
    bias = (-normal(seed + 1, 1, h, t, s).abs()).masked_fill(~may_read, -torch.inf)
    weights = expect_tensor(AREA, "attention_weights", call(AREA, attention_weights, scores, bias))
    exact = scores.double() + bias.double()
    expected = exact.softmax(-1)
    late = "The bias must be added before the softmax. After it, the weights that are left no longer sum to 1."
    if not close(weights, expected):
        name_the_mistake(weights, wrong_weights(scores.double(), bias.double(), may_read, late))
        expect_shape(AREA, "attention_weights", weights, expected.shape, "B H T S")
        if weights.isnan().any():
            message = "The weights hold NaN: somewhere 0 meets -inf, or a softmax sees nothing but -inf."
            raise CheckFailed("attention.nan", message)
        if (weights[may_read.expand_as(weights)] == 0).all():
            raise CheckFailed("attention.bias-inverted", UPSIDE_DOWN)
        read = (weights.detach().abs() > 1e-6) & ~may_read
        if read.any():
            _, _, row, column = (int(i) for i in read.nonzero()[0])
            message = f"Row {row} gives weight to key {column}, where the bias is -inf. Is it added before the softmax?"
            raise CheckFailed("attention.bias-ignored", message)
        if not close(weights.detach().sum(-1), torch.ones(b, h, t)):
            message = "The weights of each query must sum to 1 over the keys (the last dimension), and they do not."
            raise CheckFailed("attention.rows-do-not-sum-to-1", message)
    # the law behind it all: what may not be read has no say in how the rest is shared out
    moved = torch.where(may_read, scores, scores + normal(seed + 2, b, h, t, s))
    again = expect_tensor(AREA, "attention_weights", call(AREA, attention_weights, moved, bias))
    if close(weights, expected) and not close(again, expected):
        raise CheckFailed("attention.future-leak", late)
    finite = bias.clamp(min=torch.finfo(torch.float32).min)
    if close(weights, expected) and not close(call(AREA, attention_weights, scores, finite), expected):
        message = (
            "A bias may also hold hugely negative numbers in place of -inf; then your weights come out differently."
        )
        raise CheckFailed("attention.bias-finite", message)
    judge(AREA, "attention_weights", weights, expected, "B H T S")


def wrong_weights(scores: Tensor, bias: Tensor, may_read: Tensor, late: str) -> list[Mistake]:
    """What the usual mistakes make of these scores."""
    ignored = "The bias has no effect: forbidden keys get weight. Add it to the scores before the softmax."
    axis = "The softmax runs over the wrong dimension: each query shares out its attention over the keys, dim=-1."
    zero = (
        "Forbidden scores become 0, and exp(0) = 1 is a fair share of attention. "
        "They must become -inf, as adding the bias does."
    )
    penalties = (
        "The bias is more than a mask: its finite numbers lower some scores, so it must be added, not just tested."
    )
    penalised = scores + bias.masked_fill(~may_read, 0)
    masked = scores.masked_fill(~may_read, -torch.inf)
    return [
        Mistake("attention.penalties-lost", penalties, lambda: masked.softmax(-1)),
        Mistake("attention.bias-ignored", ignored, lambda: scores.softmax(-1)),
        Mistake("attention.softmax-axis", axis, lambda: (scores + bias).softmax(-2)),
        Mistake("attention.softmax-axis", axis, lambda: (scores + bias).softmax(1)),
        Mistake("attention.softmax-axis", axis, lambda: (scores + bias).softmax(0)),
        Mistake("attention.softmax-axis", axis, lambda: (scores + bias).flatten(1).softmax(-1).view_as(scores)),
        Mistake("attention.mask-after-softmax", late, lambda: scores.softmax(-1) + bias),
        Mistake("attention.mask-after-softmax", late, lambda: scores.softmax(-1) * bias.exp()),
        Mistake("attention.mask-after-softmax", late, lambda: scores.softmax(-1).masked_fill(~may_read, 0)),
        Mistake("attention.mask-after-softmax", late, lambda: penalised.softmax(-1).masked_fill(~may_read, 0)),
        Mistake("attention.mask-zero", zero, lambda: scores.masked_fill(~may_read, 0).softmax(-1)),
        Mistake("attention.mask-zero", zero, lambda: (scores * may_read).softmax(-1)),
        Mistake(
            "attention.mask-zero",
            zero,
            lambda: penalised.masked_fill(~may_read, 0).softmax(-1),
        ),
        Mistake("attention.bias-inverted", UPSIDE_DOWN, lambda: scores.masked_fill(may_read, -torch.inf).softmax(-1)),
        Mistake("attention.bias-inverted", UPSIDE_DOWN, lambda: (scores - bias).softmax(-1)),
    ]


def check_read_values(read_values: Function, seed: int = 0) -> None:
    """Each query takes the mean of its head's values, with its own weights."""
    b, h, t, s, k = sizes(seed, 5)
    weights = normal(seed, b, h, t, s).softmax(-1)
    value = normal(seed + 1, b, h, s, k)
    exact, values = weights.double(), value.double()
    expected = exact @ values
    mistakes = [
        Mistake(
            "attention.values-unweighted",
            "The weights play no part: every query gets the plain mean (or sum) of the values.",
            lambda: values.mean(-2, keepdim=True).expand_as(expected),
        ),
        Mistake(
            "attention.values-unweighted",
            "The weights play no part: every query gets the plain mean (or sum) of the values.",
            lambda: values.sum(-2, keepdim=True).expand_as(expected),
        ),
        Mistake(
            "attention.heads-mixed",
            "The heads are added up: each head keeps its own weights and its own values.",
            lambda: torch.einsum("bhts,bgsk->bhtk", exact, values),
        ),
        Mistake(
            "attention.weights-again",
            "The weights go through a second softmax: they already sum to 1.",
            lambda: exact.softmax(-1) @ values,
        ),
    ]
    judge(AREA, name_of(read_values), call(AREA, read_values, weights, value), expected, "B H T K", mistakes)
