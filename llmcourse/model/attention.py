"""How tokens read each other: every query scores every key, and takes a weighted mean of the values."""

from collections.abc import Callable
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from llmcourse.model.cache import LayerCache
from llmcourse.model.config import TransformerConfig
from llmcourse.model.position import Rotation, rotate

Attend = Callable[[Tensor, Tensor, Tensor, Tensor | None], Tensor]


def softmax_over_keys(scores: Float[Tensor, "B H T S"]) -> Float[Tensor, "B H T S"]:
    """Weights that are positive and sum to 1 over the keys of each query."""
    return scores.softmax(dim=-1)


def attend(
    query: Float[Tensor, "B H T K"],
    key: Float[Tensor, "B H S K"],
    value: Float[Tensor, "B H S K"],
    bias: Float[Tensor, "#B #H #T S"] | None = None,
    softmax: Callable[[Tensor], Tensor] = softmax_over_keys,
) -> Float[Tensor, "B H T K"]:
    """For each query the mean of the values, weighted by how well their keys match.

    `bias` is added to the scores: very low where reading is forbidden.
    Source: Vaswani et al. 2017, equation 1.
    """
    scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5  # B H T S
    if bias is not None:
        scores = scores + bias
    return softmax(scores) @ value


class ExplicitAttend(nn.Module):
    """`attend` with the softmax as a submodule, so that a forward hook can read the weights."""

    def __init__(self) -> None:
        super().__init__()
        self.softmax = nn.Softmax(dim=-1)

    def forward(self, query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None = None) -> Tensor:
        return attend(query, key, value, bias, self.softmax)


def fused_attend(
    query: Float[Tensor, "B H T K"],
    key: Float[Tensor, "B H S K"],
    value: Float[Tensor, "B H S K"],
    bias: Float[Tensor, "#B #H #T S"] | None = None,
) -> Float[Tensor, "B H T K"]:
    """The same numbers as `attend`, from PyTorch's fused kernel, which never keeps the T x S weights."""
    return F.scaled_dot_product_attention(query, key, value, attn_mask=bias)


def split_heads(vectors: Float[Tensor, "B T wide"], d_head: int) -> Float[Tensor, "B H T K"]:
    """One vector per head, cut from the vector of each token."""
    return vectors.unflatten(-1, (-1, d_head)).transpose(1, 2)


def merge_heads(heads: Float[Tensor, "B H T K"]) -> Float[Tensor, "B T wide"]:
    """The heads' vectors of each token, laid end to end."""
    return heads.transpose(1, 2).flatten(-2)


class Attention(nn.Module):
    """Multi-head attention from one sequence to itself, or to a `source` when one is given."""

    def __init__(self, config: TransformerConfig, attend: Attend | None = None) -> None:
        super().__init__()
        self.d_head = config.head_width
        self.queries_per_key = config.n_heads // config.kv_heads
        # attend divides scores by sqrt(d_head); where a config wants raw scores the queries make up for it
        self.query_scale = 1.0 if config.scale_scores else config.head_width**0.5
        wide, narrow = config.n_heads * config.head_width, config.kv_heads * config.head_width
        self.query = nn.Linear(config.d_model, wide, bias=config.bias)
        self.key = nn.Linear(config.d_model, narrow, bias=config.bias)
        self.value = nn.Linear(config.d_model, narrow, bias=config.bias)
        self.output = nn.Linear(wide, config.d_model, bias=config.bias)
        self.attend: Any = ExplicitAttend() if attend is None else attend

    def forward(
        self,
        vectors: Float[Tensor, "B T D"],
        bias: Float[Tensor, "#B #H #T S"] | None = None,
        *,
        source: Float[Tensor, "B S D"] | None = None,
        rotation: Rotation | None = None,
        cache: LayerCache | None = None,
    ) -> Float[Tensor, "B T D"]:
        query = split_heads(self.query(vectors), self.d_head)
        if source is not None and cache is not None and cache.key is not None and cache.value is not None:
            key, value = cache.key, cache.value  # the source stays the same, so it is read once
        else:
            read_from = vectors if source is None else source
            key = split_heads(self.key(read_from), self.d_head)
            value = split_heads(self.value(read_from), self.d_head)
            if rotation is not None:
                query, key = rotate(query, rotation), rotate(key, rotation)
            if cache is not None:
                key, value = cache.append(key, value)
        if self.queries_per_key > 1:  # grouped queries: neighbouring heads share keys and values
            key = key.repeat_interleave(self.queries_per_key, dim=1)
            value = value.repeat_interleave(self.queries_per_key, dim=1)
        if self.query_scale != 1:
            query = query * self.query_scale
        return self.output(merge_heads(self.attend(query, key, value, bias)))
