"""Checks of attention step by step: scores, mask, weights, values, heads."""

import random
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from llmcourse.checks.core import (
    CheckFailed,
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
from llmcourse.checks.self_attention import (
    check_batch_rows_apart,
    check_dropout,
    check_no_future,
    check_padding,
    check_self_attention,
)

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
Function = Callable[..., Any]


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


SCALE = "Divide the scores by the square root of the head width K: {}."


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
        message = f"Where reading is allowed the bias must be 0, which changes no score; yours is {allowed[allowed != 0][0]:g}."
        raise CheckFailed("attention.bias-changes-allowed", message)
    if (forbidden > LOW).any():
        highest = forbidden.max().item()
        message = (
            f"Where reading is forbidden the bias is {highest:g}, and exp({highest:g}) is still a weight that counts. "
            "Only a score of -inf (or a hugely negative one) becomes a weight of 0."
        )
        raise CheckFailed("attention.bias-not-low", message)


LOW = -1e4  # exp(-1e4) is 0 even in float64, next to any score that a model makes


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


def check_weights(attention_weights: Function, seed: int = 0) -> None:
    """Weights are a softmax over the keys, of scores that carry the bias before the softmax."""
    b, h, t, s = sizes(seed, 4)
    scores = normal(seed, b, h, t, s)
    may_read = random_mask(seed, t, s)
    # penalties that differ from head to head, as ALiBi has them: a bias is more than a mask
    bias = (-normal(seed + 1, h, t, s).abs()).masked_fill(~may_read, -torch.inf)
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
    judge(AREA, "attention_weights", weights, expected, "B H T S")


def wrong_weights(scores: Tensor, bias: Tensor, may_read: Tensor, late: str) -> list[Mistake]:
    """What the usual mistakes make of these scores."""
    ignored = "The bias has no effect: forbidden keys get weight. Add it to the scores before the softmax."
    axis = "The softmax runs over the wrong dimension: each query shares out its attention over the keys, dim=-1."
    zero = (
        "Forbidden scores become 0, and exp(0) = 1 is a fair share of attention. "
        "They must become -inf, as adding the bias does."
    )
    upside_down = "You forbid what is allowed, and allow what is forbidden: -inf in the bias marks forbidden keys."
    return [
        Mistake("attention.bias-ignored", ignored, lambda: scores.softmax(-1)),
        Mistake("attention.softmax-axis", axis, lambda: (scores + bias).softmax(-2)),
        Mistake("attention.softmax-axis", axis, lambda: (scores + bias).softmax(1)),
        Mistake("attention.softmax-axis", axis, lambda: (scores + bias).softmax(0)),
        Mistake("attention.softmax-axis", axis, lambda: (scores + bias).flatten(1).softmax(-1).view_as(scores)),
        Mistake("attention.mask-after-softmax", late, lambda: scores.softmax(-1) + bias),
        Mistake("attention.mask-after-softmax", late, lambda: scores.softmax(-1) * bias.exp()),
        Mistake("attention.mask-after-softmax", late, lambda: scores.softmax(-1).masked_fill(~may_read, 0)),
        Mistake("attention.mask-zero", zero, lambda: scores.masked_fill(~may_read, 0).softmax(-1)),
        Mistake("attention.mask-zero", zero, lambda: (scores * may_read).softmax(-1)),
        Mistake(
            "attention.mask-zero",
            zero,
            lambda: (scores + bias.masked_fill(~may_read, 0)).masked_fill(~may_read, 0).softmax(-1),
        ),
        Mistake("attention.bias-inverted", upside_down, lambda: scores.masked_fill(may_read, -torch.inf).softmax(-1)),
        Mistake("attention.bias-inverted", upside_down, lambda: (scores - bias).softmax(-1)),
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


def check_split_heads(split_heads: Function, seed: int = 0) -> None:
    """Head h of a token is the h-th slice of that token's own vector."""
    b, t, h, k = sizes(seed, 4)
    vectors = normal(seed, b, t, h * k)
    expected = torch.stack([vectors[..., i * k : (i + 1) * k] for i in range(h)], dim=1)
    mistakes = [
        Mistake(
            "attention.split-without-transpose",
            "The numbers of one token are spread over several rows: `view(B, H, T, K)` cuts the sequence, not the vectors. "
            "First cut each vector in H slices (B T H K), then swap the dimensions T and H.",
            lambda: vectors.reshape(b, h, t, k),
        ),
        Mistake(
            "attention.split-interleaved",
            "Head h takes every H-th number of the vector; it should take one slice of K numbers in a row.",
            lambda: vectors.reshape(b, t, k, h).permute(0, 3, 1, 2),
        ),
        Mistake(
            "attention.split-order",
            "The slices are right, but heads stand after time: the result should be B H T K, not B T H K.",
            lambda: expected.transpose(1, 2),
        ),
    ]
    judge(AREA, "split_heads", call(AREA, split_heads, vectors, h), expected, "B H T K", mistakes)


def check_merge_heads(merge_heads: Function, seed: int = 0) -> None:
    """The heads of one token are laid end to end again: the way back from `split_heads`."""
    b, t, h, k = sizes(seed, 4)
    heads = normal(seed, b, h, t, k)
    expected = torch.cat(list(heads.unbind(dim=1)), dim=-1)
    mistakes = [
        Mistake(
            "attention.merge-without-permute",
            "The vector of one token now holds numbers of other tokens: B H T K cannot be flattened as it stands. "
            "First swap H and T back (B T H K), then lay the heads end to end.",
            lambda: heads.reshape(b, t, h * k),
        ),
        Mistake(
            "attention.merge-interleaved",
            "The heads are interleaved number by number; lay them end to end: all of head 0, then all of head 1.",
            lambda: heads.permute(0, 2, 3, 1).reshape(b, t, h * k),
        ),
        Mistake(
            "attention.merge-summed",
            "The heads are added up. Keep them all: their vectors go end to end, H times K numbers.",
            lambda: heads.sum(1),
        ),
    ]
    judge(AREA, "merge_heads", call(AREA, merge_heads, heads), expected, "B T D", mistakes)
