"""One layer, and a stack of them: read, think, and add both to what was there."""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from llmcourse.model.attention import Attend, Attention
from llmcourse.model.cache import KVCache, LayerCache
from llmcourse.model.config import TransformerConfig
from llmcourse.model.feedforward import make_feedforward
from llmcourse.model.mask import score_bias
from llmcourse.model.position import Rotation, make_position


def make_norm(config: TransformerConfig) -> nn.Module:
    """LayerNorm (Ba et al. 2016) or RMSNorm (Zhang & Sennrich 2019) over the model width."""
    kind = nn.LayerNorm if config.norm == "layer" else nn.RMSNorm
    return kind(config.d_model, eps=config.norm_eps)


class Block(nn.Module):
    """Self-attention, then cross-attention where there is an encoder to read, then the feed-forward network."""

    def __init__(self, config: TransformerConfig, cross: bool, attend: Attend | None = None) -> None:
        super().__init__()
        self.norm_first = config.norm_first
        self.attention_norm = make_norm(config)
        self.attention = Attention(config, attend)
        self.cross_norm = make_norm(config) if cross else None
        self.cross_attention = Attention(config, attend) if cross else None
        self.feedforward_norm = make_norm(config)
        self.feedforward = make_feedforward(config)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self,
        vectors: Float[Tensor, "B T D"],
        bias: Float[Tensor, "#B #H #T S"] | None = None,
        *,
        rotation: Rotation | None = None,
        cache: LayerCache | None = None,
        memory: Float[Tensor, "B M D"] | None = None,
        memory_bias: Float[Tensor, "#B #H #T M"] | None = None,
    ) -> Float[Tensor, "B T D"]:
        vectors = self.add(
            vectors, self.attention_norm, lambda x: self.attention(x, bias, rotation=rotation, cache=cache)
        )
        if self.cross_norm is not None and self.cross_attention is not None:
            read = self.cross_attention
            kept = None if cache is None else cache.of_memory
            vectors = self.add(vectors, self.cross_norm, lambda x: read(x, memory_bias, source=memory, cache=kept))
        return self.add(vectors, self.feedforward_norm, self.feedforward)

    def add(
        self, vectors: Float[Tensor, "B T D"], norm: nn.Module, sublayer: Callable[[Tensor], Tensor]
    ) -> Float[Tensor, "B T D"]:
        """The vectors with what the sublayer says added, and the norm before or after it."""
        change = sublayer(norm(vectors) if self.norm_first else vectors)
        if self.training:  # at rest the call alone would cost as much as a small matrix
            change = self.dropout(change)
        return vectors + change if self.norm_first else norm(vectors + change)


class Stack(nn.Module):
    """Layers over vectors, not ids, so that vectors which no token has can be put in front."""

    def __init__(
        self, config: TransformerConfig, n_layers: int, *, both_ways: bool, cross: bool, attend: Attend | None = None
    ) -> None:
        super().__init__()
        self.position = make_position(config, both_ways)
        # how much of the vector before it each vector takes in, a share for each dimension
        self.previous = nn.Parameter(torch.full((config.d_model,), 0.5)) if config.mix_previous else None
        self.embed_norm = make_norm(config) if config.embed_norm else None
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(Block(config, cross, attend) for _ in range(n_layers))
        self.final_norm = make_norm(config) if config.norm_first else None

    def forward(
        self,
        vectors: Float[Tensor, "B T D"],
        positions: Int[Tensor, "B T"],
        may_read: Bool[Tensor, "#B 1 #T S"] | None = None,
        *,
        cache: KVCache | None = None,
        memory: Float[Tensor, "B M D"] | None = None,
        memory_may_read: Bool[Tensor, "#B 1 #T M"] | None = None,
    ) -> Float[Tensor, "B T D"]:
        if self.previous is not None:
            before = F.pad(vectors, (0, 0, 1, 0))[:, :-1] if cache is None else cache.vectors_before(vectors)
            vectors = vectors + self.previous * before * (positions > 0)[..., None]  # nothing is before the first
        vectors = self.position.embed(vectors, positions)
        if self.embed_norm is not None:
            vectors = self.embed_norm(vectors)
        vectors = self.dropout(vectors)
        key_positions = positions if cache is None else cache.append_positions(positions)
        bias = score_bias(may_read, self.position.bias(positions, key_positions), vectors.dtype)
        memory_bias = score_bias(memory_may_read, None, vectors.dtype)
        rotation = self.position.rotation(positions)
        for index, block in enumerate(self.blocks):
            layer_cache = None if cache is None else cache.layers[index]
            vectors = block(vectors, bias, rotation=rotation, cache=layer_cache, memory=memory, memory_bias=memory_bias)
        return vectors if self.final_norm is None else self.final_norm(vectors)
