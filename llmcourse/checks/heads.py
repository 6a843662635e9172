"""Checks of heads: cut the vector of each token in slices, and lay the slices end to end again."""

import torch

from llmcourse.checks.core import Function, Mistake, call, judge, normal, sizes

AREA = "attention"


def check_split_heads(split_heads: Function, seed: int = 0) -> None:
    """Head h of a token is the h-th slice of that token's own vector."""
    b, t, h, k = sizes(seed, 4)
    vectors = normal(seed, b, t, h * k)
    expected = torch.stack([vectors[..., i * k : (i + 1) * k] for i in range(h)], dim=1)
    mistakes = [
        Mistake(
            "attention.split-without-transpose",
            "The numbers of one token are spread over several rows: `view(B, H, T, K)` cuts the sequence, not the "
            "vectors. First cut each vector in H slices (B T H K), then swap the dimensions T and H.",
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
