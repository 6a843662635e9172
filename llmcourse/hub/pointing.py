"""A decoder that may also point: its next token comes from the vocabulary, or is copied from the text so far."""

import math
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from llmcourse.data import IGNORE, Batch
from llmcourse.model import Transformer, TransformerConfig
from llmcourse.model.mask import causal
from llmcourse.training import next_token_nats
from llmcourse.training.fused import LogitSums
from llmcourse.training.loss import check_targets

TINY = torch.finfo(torch.float32).tiny  # a smaller share of a sum has no exact inverse
NEVER = -1e9  # a score so low that nothing is left of it; an infinite one would have no gradient


class PointingTransformer(nn.Module):
    """A Transformer with three short cuts to what its stories need; `model(ids)` gives logits.

    A place in the text stands for the token there, and all places so far compete with the vocabulary in one softmax:
    to copy a name takes one look, whichever name it is. A pair of neighbouring tokens has a vector of its own, in a
    table whose rows are shared by hashing. And the table that logits are read from may part from the embeddings, from
    which it starts. Only the tokens `in_use` have rows of their own in these two; all others share one, and what is
    left to it is divided among them evenly. Sources: Vinyals et al. 2015 (pointing); Gu et al. 2016 (one softmax over
    both).

    There is no cache: the whole text is read again for each token.
    """

    row_of: Int[Tensor, " V"]
    log_sharers: Float[Tensor, " rows"]

    def __init__(
        self,
        config: TransformerConfig,
        d_pointer: int,
        n_pairs: int,
        in_use: Collection[int] | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        row_of = share_rows(config.vocab_size, in_use)
        sharers = row_of.bincount()
        self.register_buffer("row_of", row_of)  # of each token
        self.register_buffer("log_sharers", sharers.log())  # of how many tokens have that row
        self.transformer = Transformer(replace(config, vocab_size=len(sharers)), attend=_causal, generator=generator)
        self.pairs = nn.Embedding(n_pairs, config.d_model)
        self.seek = nn.Linear(config.d_model, d_pointer, bias=False)
        self.offer = nn.Linear(config.d_model, d_pointer, bias=False)
        self.unlike = nn.Embedding(len(sharers), config.d_model)  # what the output table adds to the embeddings
        nn.init.zeros_(self.pairs.weight)
        nn.init.zeros_(self.unlike.weight)
        for layer in (self.seek, self.offer):
            nn.init.normal_(layer.weight, std=config.d_model**-0.5, generator=generator)

    def forward(self, ids: Int[Tensor, "B T"]) -> Float[Tensor, "B T V"]:
        """Logits: the logarithm of all that speaks for a token, its own score and those of the places it stands at."""
        vectors = self.decode(ids)
        words, places = self.score_words(vectors), self.score_places(vectors)
        highest = torch.maximum(words.amax(dim=-1, keepdim=True), places.amax(dim=-1, keepdim=True))
        weights = (words - highest).exp()
        weights = weights.scatter_add(-1, ids[:, None, :].expand_as(places), (places - highest).exp())
        return weights.log() + highest

    def decode(self, ids: Int[Tensor, "B T"]) -> Float[Tensor, "B T D"]:
        """One vector per token, each having read only itself and what came before."""
        transformer = self.transformer
        assert transformer.decoder is not None
        return transformer.decoder(self.embed(ids), transformer.count_positions(ids, None, 0))

    def embed(self, ids: Int[Tensor, "B T"]) -> Float[Tensor, "B T D"]:
        """One vector per token for itself and the one before it."""
        return self.transformer.embed(self.row_of[ids]) + self.pairs(self.pair_rows(ids))

    def pair_rows(self, ids: Int[Tensor, "B T"]) -> Int[Tensor, "B T"]:
        """The row of each token and the one before it; the first has token 0 before it."""
        previous = F.pad(ids, (1, 0))[:, :-1]
        return (previous * 7919 + ids * 104_729) % self.pairs.num_embeddings

    def score_words(self, vectors: Float[Tensor, "B T D"]) -> Float[Tensor, "B T V"]:
        """How well each vector matches each token of the vocabulary."""
        return (F.linear(vectors, self.table) - self.log_sharers)[..., self.row_of]

    @property
    def table(self) -> Float[Tensor, "rows D"]:
        """What logits are read from."""
        return self.transformer.tokens.weight + self.unlike.weight

    def score_places(self, vectors: Float[Tensor, "B T D"]) -> Float[Tensor, "B T T"]:
        """How well each vector matches each place up to its own, as that to copy from."""
        sought, offered = self.seek_and_offer(vectors)
        return torch.baddbmm(_later(sought), sought, offered.mT)

    def seek_and_offer(self, vectors: Float[Tensor, "B T D"]) -> tuple[Float[Tensor, "B T P"], Float[Tensor, "B T P"]]:
        """What each place looks for and what it holds out; their products are the scores of places."""
        sought = self.seek(vectors)
        return sought / math.sqrt(sought.shape[-1]), self.offer(vectors)


def pointing_nats(model: nn.Module, batch: Batch) -> Float[Tensor, "B T"]:
    """What `next_token_nats` says, in less time: the mass of copies is summed for the target only."""
    if not isinstance(model, PointingTransformer):
        return next_token_nats(model, batch)
    ids, targets = batch.inputs, batch.targets
    check_targets(targets, len(model.row_of))
    vectors = model.decode(ids)
    holds_target = (ids[:, None, :] == targets[:, :, None]).to(vectors.dtype)
    anywhere, right = PlaceSums.apply(*model.seek_and_offer(vectors), holds_target)
    real = targets != IGNORE
    rows = model.row_of[targets[real]]
    words, of_target = LogitSums.apply(vectors[real], model.table, rows)
    nats = words.logaddexp(anywhere[real]) - (of_target - model.log_sharers[rows]).logaddexp(right[real])
    return nats.new_zeros(targets.shape).masked_scatter(real, nats)


class PlaceSums(torch.autograd.Function):
    """Of the scores of places, the logarithm of the summed exponentials: of all up to each one's own, and of the right.

    Both sums come from the same exponentials, and so do their gradients.
    """

    @staticmethod
    def forward(
        ctx: Any, sought: Float[Tensor, "B T P"], offered: Float[Tensor, "B T P"], is_right: Float[Tensor, "B T T"]
    ) -> tuple[Float[Tensor, "B T"], Float[Tensor, "B T"]]:
        scores = torch.baddbmm(_later(sought), sought, offered.mT)
        highest = scores.amax(dim=-1, keepdim=True)
        powers = scores.sub_(highest).exp_()
        of_right = powers * is_right
        anywhere, right = powers.sum(dim=-1, keepdim=True), of_right.sum(dim=-1, keepdim=True)
        ctx.save_for_backward(sought, offered, powers, of_right, anywhere, right)
        logs = anywhere.log() + highest, (right.log() + highest).masked_fill(right < TINY, NEVER)
        return logs[0][..., 0], logs[1][..., 0]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_anywhere: Tensor, of_right: Tensor) -> tuple[Tensor, Tensor, None]:
        sought, offered, powers, right_powers, anywhere, right = ctx.saved_tensors
        to_scores = powers * (of_anywhere[..., None] / anywhere)
        to_scores.addcmul_(right_powers, (of_right[..., None] / right).masked_fill(right < TINY, 0.0))
        return to_scores @ offered, to_scores.mT @ sought, None


def _later(vectors: Float[Tensor, "B T P"]) -> Float[Tensor, "1 T T"]:
    """What keeps each place from looking at those after it: a score to be added."""
    n_tokens = vectors.shape[1]
    return vectors.new_zeros(1, n_tokens, n_tokens).masked_fill_(~causal(n_tokens, n_tokens, vectors.device)[0], NEVER)


def share_rows(n_tokens: int, in_use: Collection[int] | None) -> Int[Tensor, " V"]:
    """A row for each token: one of its own if it is in use, the one behind them if not.

    Raises: ValueError that names a token outside the vocabulary.
    """
    if in_use is None:
        return torch.arange(n_tokens)
    for token in in_use:
        if not 0 <= token < n_tokens:
            raise ValueError(f"A token in use lies outside the vocabulary of {n_tokens}: {token}.")
    tokens = torch.tensor(sorted(set(in_use)))
    row_of = torch.full((n_tokens,), len(tokens))
    row_of[tokens] = torch.arange(len(tokens))
    return row_of


def _causal(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None = None) -> Tensor:
    return F.scaled_dot_product_attention(query, key, value, is_causal=True)
