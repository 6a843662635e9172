"""The surprise at each next token as `next_token_nats` gives it, and its gradients, in less time and memory."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from llmcourse.data import IGNORE, Batch
from llmcourse.inference import can_fuse
from llmcourse.model import Transformer
from llmcourse.model.attention import Attention, merge_heads, split_heads
from llmcourse.model.block import Block, Stack
from llmcourse.model.feedforward import ACTIVATIONS, FeedForward
from llmcourse.model.mask import before, score_bias
from llmcourse.model.position import Rotation, rotate
from llmcourse.training.attending import CausalAttention, is_short
from llmcourse.training.kernels import GeluNetwork, Linear, product
from llmcourse.training.loss import check_targets, next_token_nats

CHUNK = 1024  # rows of logits that exist at a time
KEPT = 2**22  # exponentials that are kept for the gradient, at most: 16 MB


def fused_next_token_nats(model: nn.Module, batch: Batch) -> Float[Tensor, "B T"]:
    """What `next_token_nats` says; for a model that is no ordinary decoder, by `next_token_nats` itself.

    Queries, keys and values come from one product, attention's weights are kept where texts are short, GELU's slope is
    worked out beside it, and a large vocabulary's logits exist for a few rows at a time. There is a gradient, and none
    of the gradient.
    """
    if not isinstance(model, Transformer) or model.encoder is not None or not can_fuse(model, dropout=True):
        return next_token_nats(model, batch)
    if model.logits_bias is not None:
        return next_token_nats(model, batch)
    check_targets(batch.targets, model.config.vocab_size)
    vectors = _vectors(model, batch.inputs)
    if model.config.scale_logits:
        vectors = vectors * model.config.d_model**-0.5
    table = model.tokens if model.unembed is None else model.unembed
    targets = batch.targets.flatten()
    totals, of_target = LogitSums.apply(vectors.flatten(0, 1), table.weight, targets.clamp(min=0))
    return (totals - of_target).masked_fill(targets == IGNORE, 0.0).view(batch.targets.shape)


def _vectors(model: Transformer, ids: Int[Tensor, "B T"]) -> Float[Tensor, "B T D"]:
    """The decoder's last vectors."""
    stack = model.decoder
    assert isinstance(stack, Stack)
    positions = model.count_positions(ids, None, 0)
    vectors = model.embed(ids)
    if stack.previous is not None:
        vectors = vectors + stack.previous * F.pad(vectors, (0, 0, 1, 0))[:, :-1] * (positions > 0)[..., None]
    vectors = stack.position.embed(vectors, positions)
    if stack.embed_norm is not None:
        vectors = stack.embed_norm(vectors)
    vectors = stack.dropout(vectors)
    bias = stack.position.bias(positions[:1], positions[:1])  # the same for all rows
    if bias is not None:
        bias = score_bias(before(ids.shape[1], ids.shape[1], None, ids.device), bias, vectors.dtype)
    rotation = stack.position.rotation(positions)
    for block in stack.blocks:
        assert isinstance(block, Block)
        assert isinstance(block.feedforward, FeedForward)
        read = partial(_read, block.attention, bias, rotation)
        vectors = block.add(vectors, block.attention_norm, read)
        vectors = block.add(vectors, block.feedforward_norm, partial(_think, block.feedforward))
    return vectors if stack.final_norm is None else stack.final_norm(vectors)


def _read(
    attention: Attention, bias: Tensor | None, rotation: Rotation | None, vectors: Float[Tensor, "B T D"]
) -> Float[Tensor, "B T D"]:
    """What a causal self-attention says."""
    query, *others = layers = (attention.query, attention.key, attention.value)
    scale = attention.query_scale / attention.d_head**0.5
    weight = torch.cat([query.weight * scale, *(layer.weight for layer in others)])
    added = None if query.bias is None else torch.cat([query.bias * scale, *(layer.bias for layer in others)])
    joined = Linear.apply(vectors, weight, added)
    if bias is None and rotation is None and attention.queries_per_key == 1:
        stacked = joined.unflatten(-1, (3, -1, attention.d_head)).permute(2, 0, 3, 1, 4)
        if is_short(stacked):
            return _linear(attention.output, merge_heads(CausalAttention.apply(stacked)))
    sizes = [layer.weight.shape[0] for layer in layers]
    queries, keys, values = (split_heads(part, attention.d_head) for part in joined.split(sizes, dim=-1))
    if rotation is not None:
        queries, keys = rotate(queries, rotation), rotate(keys, rotation)
    heads = F.scaled_dot_product_attention(
        queries,
        keys,
        values,
        attn_mask=bias,
        is_causal=bias is None,
        scale=1.0,
        enable_gqa=attention.queries_per_key > 1,
    )
    return _linear(attention.output, merge_heads(heads))


def _linear(layer: nn.Linear, vectors: Tensor) -> Tensor:
    return Linear.apply(vectors, layer.weight, layer.bias)


def _think(network: FeedForward, vectors: Float[Tensor, "B T D"]) -> Float[Tensor, "B T D"]:
    """What a feed-forward network says."""
    up, down = network.up, network.down
    if network.gate is None and network.activation is ACTIVATIONS["gelu_tanh"]:
        return GeluNetwork.apply(vectors, up.weight, up.bias, down.weight, down.bias)
    hidden = network.activation(_linear(up if network.gate is None else network.gate, vectors))
    return _linear(down, hidden if network.gate is None else hidden * _linear(up, vectors))


class LogitSums(torch.autograd.Function):
    """Of logits `vectors @ table.T`, the logarithm of the summed exponentials, and the logit of each target.

    Where a gradient is wanted, those of a large vocabulary are made again: they would take more room than the model.
    """

    @staticmethod
    def forward(
        ctx: Any, vectors: Float[Tensor, "N D"], table: Float[Tensor, "V D"], targets: Int[Tensor, " N"]
    ) -> tuple[Float[Tensor, " N"], Float[Tensor, " N"]]:
        totals, of_target = vectors.new_empty(len(vectors), 1), vectors.new_empty(len(vectors), 1)
        kept = []
        for rows in _chunks(vectors):
            logits = product(vectors[rows][None], table)[0]
            torch.gather(logits, -1, targets[rows][:, None], out=of_target[rows])
            highest = logits.amax(dim=-1, keepdim=True)
            sums = logits.sub_(highest).exp_().sum(dim=-1, keepdim=True)
            torch.add(highest, sums.log(), out=totals[rows])
            if len(vectors) * len(table) <= KEPT:
                kept += [logits, sums]
        ctx.save_for_backward(vectors, table, targets, totals, *kept)
        return totals[:, 0], of_target[:, 0]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_totals: Tensor, of_targets: Tensor) -> tuple[Tensor, Tensor, None]:
        vectors, table, targets, totals, *kept = ctx.saved_tensors
        to_vectors = of_targets[:, None] * table[targets]
        to_table = torch.zeros_like(table).index_add_(0, targets, of_targets[:, None] * vectors)
        for number, rows in enumerate(_chunks(vectors)):
            if kept:
                powers, sums = kept[2 * number : 2 * number + 2]
                shares = of_totals[rows, None] / sums
            else:
                powers, shares = (vectors[rows] @ table.T).sub_(totals[rows]).exp_(), of_totals[rows, None]
            to_vectors[rows] += product(powers[None], table.T)[0] * shares
            to_table.addmm_(powers.T, vectors[rows] * shares)
        return to_vectors, to_table, None


def _chunks(vectors: Float[Tensor, "N D"]) -> Iterator[slice]:
    """Rows whose logits exist at a time."""
    return (slice(start, start + CHUNK) for start in range(0, len(vectors), CHUNK))
