"""The Transformer: embed the ids, run the stacks, read off scores for every token of the vocabulary."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from llmcourse.model.attention import Attend
from llmcourse.model.block import Stack
from llmcourse.model.cache import KVCache
from llmcourse.model.config import TransformerConfig
from llmcourse.model.heads import TextHead, make_head
from llmcourse.model.mask import before, positions_of


class Transformer(nn.Module):
    """Encoder, decoder or both, as the config says; `model(ids)` gives logits.

    `attend` replaces the attention function in every layer; None is the explicit one, whose weights hooks can read.
    `generator` seeds the starting weights.
    """

    def __init__(
        self, config: TransformerConfig, attend: Attend | None = None, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        self.config = config
        self.tokens = nn.Embedding(config.vocab_size, config.d_model)
        self.segments = nn.Embedding(config.n_segments, config.d_model) if config.n_segments else None
        self.encoder = self.decoder = None
        if config.n_encoder_layers:
            self.encoder = Stack(config, config.n_encoder_layers, both_ways=True, cross=False, attend=attend)
        if config.n_decoder_layers:
            cross = config.has_cross_attention
            self.decoder = Stack(config, config.n_decoder_layers, both_ways=False, cross=cross, attend=attend)
        untied = config.head in ("lm", "mlm") and not config.tie_embeddings
        self.unembed = nn.Linear(config.d_model, config.vocab_size, bias=False) if untied else None
        self.head = make_head(config)
        self.logits_bias: Tensor | None
        if config.head == "mlm":
            self.logits_bias = nn.Parameter(torch.zeros(config.vocab_size))
        else:  # a buffer holds fixed numbers, which no training moves
            fixed = torch.zeros(1, config.vocab_size) if config.head == "lm" and config.logits_bias else None
            self.register_buffer("logits_bias", fixed)
        initialise(self, generator)

    def forward(
        self,
        ids: Int[Tensor, "B N"],
        target_ids: Int[Tensor, "B T"] | None = None,
        *,
        positions: Int[Tensor, "B N"] | None = None,
        is_real: Bool[Tensor, "B S"] | None = None,
        segments: Int[Tensor, "B N"] | None = None,
        cache: KVCache | None = None,
        target_is_real: Bool[Tensor, "B _"] | None = None,
    ) -> Float[Tensor, "B ... width"]:
        """Logits for each position, or what else the head gives; with `head="none"` the vectors themselves.

        A model with both stacks takes source and target ids. `is_real` is False on padding, and covers cached tokens
        too; `target_is_real` says the same of the target. Raises: ValueError for ids or lengths that the config does
        not allow.
        """
        if self.config.has_cross_attention:
            if target_ids is None:
                raise ValueError("An encoder-decoder needs two inputs: model(source_ids, target_ids).")
            memory = self.encode(ids, positions=positions, is_real=is_real, segments=segments)
            vectors = self.decode(
                target_ids, is_real=target_is_real, cache=cache, memory=memory, memory_is_real=is_real
            )
            return self.read_off(vectors, target_is_real)
        if target_ids is not None:
            raise ValueError("Only a model with an encoder and a decoder takes target ids.")
        if self.encoder is not None:
            vectors = self.encode(ids, positions=positions, is_real=is_real, segments=segments)
        else:
            vectors = self.decode(ids, positions=positions, is_real=is_real, segments=segments, cache=cache)
        return self.read_off(vectors, is_real)

    def encode(
        self,
        ids: Int[Tensor, "B S"],
        *,
        positions: Int[Tensor, "B S"] | None = None,
        is_real: Bool[Tensor, "B S"] | None = None,
        segments: Int[Tensor, "B S"] | None = None,
    ) -> Float[Tensor, "B S D"]:
        """One vector per token, each having read the whole sequence."""
        if self.encoder is None:
            raise ValueError("This model has no encoder: n_encoder_layers=0.")
        vectors = self.embed(ids, segments)
        if positions is None:
            positions = self.count_positions(ids, is_real, n_cached=0)
        may_read = None if is_real is None else is_real[:, None, None, :]
        return self.encoder(vectors, positions, may_read)

    def decode(
        self,
        ids: Int[Tensor, "B T"],
        *,
        positions: Int[Tensor, "B T"] | None = None,
        is_real: Bool[Tensor, "B S"] | None = None,
        segments: Int[Tensor, "B T"] | None = None,
        cache: KVCache | None = None,
        memory: Float[Tensor, "B M D"] | None = None,
        memory_is_real: Bool[Tensor, "B M"] | None = None,
    ) -> Float[Tensor, "B T D"]:
        """One vector per token, each having read only itself and what came before, and `memory` if there is one."""
        if self.decoder is None:
            raise ValueError("This model has no decoder: n_decoder_layers=0.")
        n_cached = 0 if cache is None else len(cache)
        vectors = self.embed(ids, segments)
        if positions is None:
            positions = self.count_positions(ids, is_real, n_cached)
        may_read = before(ids.shape[1], n_cached + ids.shape[1], is_real, ids.device)
        memory_may_read = None if memory_is_real is None else memory_is_real[:, None, None, :]
        return self.decoder(vectors, positions, may_read, cache=cache, memory=memory, memory_may_read=memory_may_read)

    def embed(self, ids: Int[Tensor, "B T"], segments: Int[Tensor, "B T"] | None = None) -> Float[Tensor, "B T D"]:
        """A vector per id, before any position is worked in."""
        vectors = self.tokens(ids)
        if self.segments is not None:
            vectors = vectors + self.segments(torch.zeros_like(ids) if segments is None else segments)
        return vectors

    def read_off(
        self, vectors: Float[Tensor, "B T D"], is_real: Bool[Tensor, "B S"] | None = None
    ) -> Float[Tensor, "B ... width"]:
        """What the head gives; logits say how well each vector matches each token's output vector."""
        if self.config.head == "none":
            return vectors
        if isinstance(self.head, TextHead):
            real = vectors.new_ones(vectors.shape[:2], dtype=torch.bool) if is_real is None else is_real
            return self.head(vectors, real[:, -vectors.shape[1] :])
        if self.head is not None:
            vectors = self.head(vectors)
        if self.config.head == "classify_tokens":
            return vectors
        if self.config.scale_logits:
            vectors = vectors * self.config.d_model**-0.5
        table = self.tokens if self.unembed is None else self.unembed
        logits = F.linear(vectors, table.weight)
        return logits if self.logits_bias is None else logits + self.logits_bias

    def new_cache(self) -> KVCache:
        """An empty cache that fits the decoder."""
        return KVCache(self.config.n_decoder_layers)

    def count_positions(
        self, ids: Int[Tensor, "B T"], is_real: Bool[Tensor, "B S"] | None, n_cached: int
    ) -> Int[Tensor, "B T"]:
        """Where ids stand that come after `n_cached` others. Raises: ValueError for lengths that do not fit."""
        length = n_cached + ids.shape[1]
        if self.config.context is not None and length > self.config.context:
            raise ValueError(f"{length} tokens do not fit the context of {self.config.context}; shorten the input.")
        if is_real is None:
            return torch.arange(n_cached, length, device=ids.device).expand(ids.shape[0], -1)
        if is_real.shape[1] != length:
            raise ValueError(f"is_real covers {is_real.shape[1]} tokens, but there are {length}, cached ones included.")
        return positions_of(is_real)[:, n_cached:]


def initialise(model: nn.Module, generator: torch.Generator | None = None) -> None:
    """Small normal weights and zero biases; what feeds the residual stream starts smaller the deeper the model.

    Source: Radford et al. 2019, section 2.3; the 0.02 is their released code's.
    """
    # each branch of a block has one norm, and adds to the stream once, however many experts it asks
    n_residual = sum(".blocks." in name and name.endswith("_norm.weight") for name, _ in model.named_parameters())
    for name, weight in model.named_parameters():
        if name.endswith((".output.weight", ".down.weight")):
            nn.init.normal_(weight, std=0.02 * n_residual**-0.5, generator=generator)
        elif weight.dim() > 1:
            nn.init.normal_(weight, std=0.02, generator=generator)
        elif name.endswith(".bias"):
            nn.init.zeros_(weight)
