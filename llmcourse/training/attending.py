"""Causal attention for training on a processor, with its gradient written out by hand."""

import math
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

BLOCK = 64  # queries that are scored together, against no key after the last of them
PIECE = 3 * 2**16  # scores that are worked on at a time; they stay in a processor's caches


def is_short(heads: Float[Tensor, "3 B H T K"]) -> bool:
    """Whether `CausalAttention` serves: on a processor, for texts whose weights take about as much room as `heads`."""
    return heads.device.type == "cpu" and heads.dtype == torch.float32 and heads.shape[3] <= 4 * heads.shape[4]


class CausalAttention(torch.autograd.Function):
    """From scaled queries, keys and values, for each query the mean of the values so far, weighted by its softmax.

    PyTorch's fused kernel keeps no weights, which would fill the memory for a long text, and makes them again for the
    gradient. Those of a short text can stay; a few large products then take less time than the kernel.
    """

    @staticmethod
    def forward(ctx: Any, heads: Float[Tensor, "3 B H T K"]) -> Float[Tensor, "B H T K"]:
        means = torch.empty_like(heads[0])
        future = heads.new_full((BLOCK, BLOCK), -math.inf).triu(1)
        kept = []
        for rows in _pieces(heads):
            query, key, value = flat = heads[:, rows].flatten(1, 2)
            for block in _blocks(heads):
                scores = torch.bmm(query[:, block], key[:, : block.stop].mT)
                n_queries = scores.shape[1]
                scores[:, :, block] += future[:n_queries, :n_queries]
                weights = scores.softmax(dim=-1)
                block_means = means[rows, :, block]
                block_means.copy_(torch.bmm(weights, value[:, : block.stop]).view(block_means.shape))
                kept.append(weights)
            kept.append(flat)
        ctx.save_for_backward(*kept)
        ctx.like = torch.empty_like(heads, device="meta")  # how its numbers lie, without them
        return means

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Float[Tensor, "B H T K"]) -> Float[Tensor, "3 B H T K"]:
        kept = list(ctx.saved_tensors)
        to_heads = torch.empty_like(ctx.like, device=gradient.device)
        for rows in reversed(_pieces(to_heads)):
            query, key, value = kept.pop()
            to_means = gradient[rows].flatten(0, 1)
            to_queries, to_keys, to_values = to_heads[:, rows]
            for block in reversed(_blocks(to_heads)):
                weights = kept.pop()
                to_weights = torch.bmm(to_means[:, block], value[:, : block.stop].mT)
                to_scores = torch._softmax_backward_data(to_weights, weights, -1, weights.dtype)
                to_block = to_queries[:, :, block]
                to_block.copy_(torch.bmm(to_scores, key[:, : block.stop]).view(to_block.shape))
                of_key, of_value = torch.bmm(to_scores.mT, query[:, block]), torch.bmm(weights.mT, to_means[:, block])
                if block.stop == to_heads.shape[3]:  # the last block, which comes first and has scored all keys
                    to_key, to_value = of_key, of_value
                else:
                    to_key[:, : block.stop] += of_key
                    to_value[:, : block.stop] += of_value
            to_keys.copy_(to_key.view(to_keys.shape))
            to_values.copy_(to_value.view(to_values.shape))
        return to_heads


def _pieces(heads: Float[Tensor, "3 B H T K"]) -> list[slice]:
    """Rows that are worked on together, about as many each time."""
    _, n_rows, n_heads, n_tokens, _ = heads.shape
    n_pieces = math.ceil(n_rows * n_heads * min(BLOCK, n_tokens) * n_tokens / PIECE)
    size = math.ceil(n_rows / n_pieces)
    return [slice(start, start + size) for start in range(0, n_rows, size)]


def _blocks(heads: Float[Tensor, "3 B H T K"]) -> list[slice]:
    """Queries that are scored together."""
    n_tokens = heads.shape[3]
    return [slice(start, min(start + BLOCK, n_tokens)) for start in range(0, n_tokens, BLOCK)]
