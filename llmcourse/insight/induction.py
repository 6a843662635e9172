"""Induction: find where the same token stood before, and look at what came after it."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from llmcourse.insight.capture import capture_attention
from llmcourse.model import Transformer
from llmcourse.training import evaluation_mode


def repeated_tokens(
    vocabulary: Sequence[int], n_rows: int, length: int, generator: torch.Generator, start: int | None = None
) -> Int[Tensor, "B T"]:
    """Rows of `length` random tokens, each row twice in a row: only the first half tells what the second will be.

    No token stands twice in a half. `start` is put in front, for models that never saw a text without it.
    Raises: ValueError where the vocabulary has fewer tokens than a half.
    """
    if not 1 <= length <= len(vocabulary):
        raise ValueError(f"A half of different tokens has 1 to {len(vocabulary)} of them, not {length}.")
    known = torch.tensor(list(vocabulary))
    half = torch.stack([known[torch.randperm(len(known), generator=generator)[:length]] for _ in range(n_rows)])
    first = torch.empty((n_rows, 0), dtype=torch.long) if start is None else torch.full((n_rows, 1), start)
    return torch.cat((first, half, half), dim=1)


def follows_same(ids: Int[Tensor, "B T"]) -> Bool[Tensor, "B T T"]:
    """True where the key comes right after an earlier occurrence of the query's own token."""
    same = ids[:, :, None] == ids[:, None, :]
    after = torch.zeros_like(same)
    after[:, :, 1:] = same[:, :, :-1]
    return after.tril()  # the key may be the query itself: its token then stands twice in a row


def latest(marks: Bool[Tensor, "B T T"]) -> Bool[Tensor, "B T T"]:
    """Of each query's marked keys the last."""
    return marks & (marks.flip(-1).long().cumsum(dim=-1).flip(-1) == 1)


def mean_weight(weights: Float[Tensor, "B H T T"], marks: Bool[Tensor, "B T T"]) -> Float[Tensor, " H"]:
    """How much weight each head gives to the marked keys, on average over the queries that have one.

    Raises: ValueError where no query has one.
    """
    asks = marks.any(dim=-1)  # B T
    if not asks.any():
        raise ValueError("No token of these rows has stood before, so there is nothing to look back to.")
    given = (weights * marks[:, None]).sum(dim=-1)  # B H T
    return given.transpose(1, 2)[asks].mean(dim=0)


def induction_scores(model: Transformer, ids: Int[Tensor, "B T"]) -> Float[Tensor, "layers H"]:
    """The weight that each head gives to the token after the latest earlier occurrence of the one it reads from."""
    return _scores(model, ids, latest(follows_same(ids)))


def prefix_matching_scores(model: Transformer, ids: Int[Tensor, "B T"]) -> Float[Tensor, "layers H"]:
    """The same for the tokens after all earlier occurrences together; the name is that of Olsson et al. 2022."""
    return _scores(model, ids, follows_same(ids))


def previous_token_scores(model: Transformer, ids: Int[Tensor, "B T"]) -> Float[Tensor, "layers H"]:
    """The weight that each head gives to the token right before the one it reads from."""
    before = torch.ones(ids.shape[1], ids.shape[1], dtype=torch.bool).tril(-1).triu(-1)
    return _scores(model, ids, before.expand(len(ids), -1, -1))


def _scores(model: Transformer, ids: Tensor, marks: Tensor) -> Tensor:
    if model.config.has_cross_attention:
        raise ValueError(
            "Induction is looked for in a model with one stack, and this one has an encoder and a decoder."
        )
    with evaluation_mode(model), torch.no_grad(), capture_attention(model) as weights:
        model(ids)
    return torch.stack([mean_weight(each, marks) for each in weights])
