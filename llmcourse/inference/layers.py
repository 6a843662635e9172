"""What one block of a decoder holds, laid out for few and large operations."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from llmcourse.model.attention import Attention, split_heads
from llmcourse.model.block import Block
from llmcourse.model.feedforward import FeedForward

Norm = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Matrix:
    """One linear layer, or several that read the same vectors, side by side."""

    weight: Float[Tensor, "columns rows"]
    bias: Float[Tensor, " rows"] | None

    def __call__(self, vectors: Float[Tensor, "N columns"]) -> Float[Tensor, "N rows"]:
        return vectors @ self.weight if self.bias is None else torch.addmm(self.bias, vectors, self.weight)

    def add_to(self, total: Float[Tensor, "N rows"], vectors: Float[Tensor, "N columns"]) -> Float[Tensor, "N rows"]:
        """The total with this product added, in its place."""
        total.addmm_(vectors, self.weight)
        return total if self.bias is None else total.add_(self.bias)


@dataclass(frozen=True)
class Memory:
    """Attention to an encoder's vectors, whose keys and values never change."""

    norm: Norm
    query: Matrix
    keys: Float[Tensor, "_ M K"]
    values: Float[Tensor, "_ M K"]
    output: Matrix


@dataclass(frozen=True)
class Layer:
    """A block's weights as they are now."""

    norm: Norm
    query_key_value: Matrix
    output: Matrix
    memory: Memory | None
    feedforward_norm: Norm
    up: Matrix  # after the gate, where there is one
    gated: bool
    activation: Callable[[Tensor], Tensor]
    down: Matrix

    @classmethod
    def of(cls, block: Block, memory: Float[Tensor, "R M D"] | None) -> "Layer":
        """The layer that does what the block does, reading this memory. Queries come scaled."""
        attention, network = block.attention, block.feedforward
        assert isinstance(network, FeedForward)
        gate = [] if network.gate is None else [network.gate]
        return cls(
            norm_of(block.attention_norm),
            join(attention.query, attention.key, attention.value, scale=_score_scale(attention)),
            join(attention.output),
            _memory_of(block, memory),
            norm_of(block.feedforward_norm),
            join(*gate, network.up),
            network.gate is not None,
            network.activation,
            join(network.down),
        )

    def think(self, vectors: Float[Tensor, "N D"]) -> Float[Tensor, "N F"]:
        """The hidden units of the feed-forward network."""
        hidden = self.up(vectors)
        if not self.gated:
            return self.activation(hidden)
        gate, up = hidden.chunk(2, dim=-1)
        return self.activation(gate) * up


def join(first: nn.Linear, *others: nn.Linear, scale: float = 1.0) -> Matrix:
    """The linear layers as one matrix, the first of them times `scale`."""
    weights = [_times(first.weight, scale), *(linear.weight for linear in others)]
    biases = [_times(first.bias, scale), *(linear.bias for linear in others)] if first.bias is not None else []
    columns = (torch.cat(weights) if others else weights[0]).t()
    # a few rows times a wide matrix take a tenth to a fifth less where each of its rows lies in one piece
    weight = columns.contiguous() if columns.shape[1] >= columns.shape[0] else columns
    return Matrix(weight, torch.cat(biases) if biases else None)


def norm_of(module: nn.Module) -> Norm:
    """What the norm does, without the call of a module."""
    if isinstance(module, nn.RMSNorm):
        return partial(F.rms_norm, normalized_shape=module.normalized_shape, weight=module.weight, eps=module.eps)
    assert isinstance(module, nn.LayerNorm)
    shape, eps = module.normalized_shape, module.eps
    return partial(F.layer_norm, normalized_shape=shape, weight=module.weight, bias=module.bias, eps=eps)


def _memory_of(block: Block, memory: Tensor | None) -> Memory | None:
    norm, attention = block.cross_norm, block.cross_attention
    if memory is None or norm is None or attention is None:
        return None
    keys, values = (split_heads(layer(memory), attention.d_head) for layer in (attention.key, attention.value))
    query = join(attention.query, scale=_score_scale(attention))
    return Memory(norm_of(norm), query, keys.flatten(0, 1), values.flatten(0, 1), join(attention.output))


def _score_scale(attention: Attention) -> float:
    return attention.query_scale / attention.d_head**0.5


def _times(tensor: Tensor, factor: float) -> Tensor:
    return tensor if factor == 1 else tensor * factor
