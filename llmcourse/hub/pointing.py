"""A decoder that may also point: its next token comes from the vocabulary, or is copied from the text so far."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from llmcourse.data import IGNORE, Batch
from llmcourse.model import Transformer, TransformerConfig
from llmcourse.training import next_token_nats
from llmcourse.training.loss import check_targets

NEVER = -1e9  # a score so low that nothing is left of it; an infinite one would have no gradient


class PointingTransformer(nn.Module):
    """A Transformer with three short cuts to what its stories need; `model(ids)` gives logits.

    A place in the text stands for the token there, and all places so far compete with the vocabulary in one softmax:
    to copy a name takes one look, whichever name it is. A pair of neighbouring tokens has a vector of its own, in a
    table whose rows are shared by hashing. And the table that logits are read from may part from the embeddings, from
    which it starts. Sources: Vinyals et al. 2015 (pointing); Gu et al. 2016 (one softmax over both).

    There is no cache: the whole text is read again for each token.
    """

    def __init__(
        self, config: TransformerConfig, d_pointer: int, n_pairs: int, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        self.transformer = Transformer(config, attend=_causal, generator=generator)
        self.pairs = nn.Embedding(n_pairs, config.d_model)
        self.seek = nn.Linear(config.d_model, d_pointer, bias=False)
        self.offer = nn.Linear(config.d_model, d_pointer, bias=False)
        self.unlike = nn.Embedding(config.vocab_size, config.d_model)  # what the output table adds to the embeddings
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
        vectors = transformer.embed(ids) + self.pairs(self.pair_rows(ids))
        return transformer.decoder(vectors, transformer.count_positions(ids, None, 0))

    def pair_rows(self, ids: Int[Tensor, "B T"]) -> Int[Tensor, "B T"]:
        """The row of each token and the one before it; the first has token 0 before it."""
        before = F.pad(ids, (1, 0))[:, :-1]
        return (before * 7919 + ids * 104_729) % self.pairs.num_embeddings

    def score_words(self, vectors: Float[Tensor, "B T D"]) -> Float[Tensor, "B T V"]:
        """How well each vector matches each token of the vocabulary."""
        return F.linear(vectors, self.transformer.tokens.weight + self.unlike.weight)

    def score_places(self, vectors: Float[Tensor, "B T D"]) -> Float[Tensor, "B T T"]:
        """How well each vector matches each place up to its own, as that to copy from."""
        sought, offered = self.seek(vectors), self.offer(vectors)
        scores = sought @ offered.mT / math.sqrt(sought.shape[-1])
        length = scores.shape[-1]
        later = torch.ones(length, length, dtype=torch.bool, device=scores.device).triu(1)
        return scores.masked_fill(later, NEVER)


def pointing_nats(model: nn.Module, batch: Batch) -> Float[Tensor, "B T"]:
    """What `next_token_nats` says, in less time: the mass of copies is summed for the target only."""
    if not isinstance(model, PointingTransformer):
        return next_token_nats(model, batch)
    ids, targets = batch.inputs, batch.targets
    check_targets(targets, model.transformer.config.vocab_size)
    vectors = model.decode(ids)
    places = model.score_places(vectors)
    right = places.masked_fill(ids[:, None, :] != targets[:, :, None], NEVER).logsumexp(dim=-1)
    anywhere = places.logsumexp(dim=-1)
    real = targets != IGNORE
    words = F.linear(vectors[real], model.transformer.tokens.weight + model.unlike.weight)
    of_target = words.gather(-1, targets[real][:, None])[:, 0]
    nats = words.logsumexp(dim=-1).logaddexp(anywhere[real]) - of_target.logaddexp(right[real])
    return nats.new_zeros(targets.shape).masked_scatter(real, nats)


def _causal(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None = None) -> Tensor:
    return F.scaled_dot_product_attention(query, key, value, is_causal=True)
