"""The surprise at each next token as `next_token_nats` gives it, and its gradients, in less time and memory."""

from functools import partial
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from llmcourse.data import IGNORE, Batch
from llmcourse.inference import can_fuse
from llmcourse.model import Transformer
from llmcourse.model.attention import Attention, merge_heads, split_heads
from llmcourse.model.block import Block, Stack
from llmcourse.model.mask import before, score_bias
from llmcourse.model.position import Rotation, rotate
from llmcourse.training.loss import check_targets, next_token_nats

CHUNK = 1024  # rows of logits that exist at a time


def fused_next_token_nats(model: nn.Module, batch: Batch) -> Float[Tensor, "B T"]:
    """What `next_token_nats` says; for a model that is no ordinary decoder, by `next_token_nats` itself.

    Queries, keys and values come from one product, no mask is written out, and logits exist for a few rows at a time.
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
    nats = LinearNats.apply(vectors.flatten(0, 1), table.weight, batch.targets.flatten())
    return nats.view(batch.targets.shape)


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
        read = partial(_read, block.attention, bias, rotation)
        vectors = block.add(vectors, block.attention_norm, read)
        vectors = block.add(vectors, block.feedforward_norm, block.feedforward)
    return vectors if stack.final_norm is None else stack.final_norm(vectors)


def _read(
    attention: Attention, bias: Tensor | None, rotation: Rotation | None, vectors: Float[Tensor, "B T D"]
) -> Float[Tensor, "B T D"]:
    """What a causal self-attention says."""
    layers = (attention.query, attention.key, attention.value)
    weight = torch.cat([layer.weight for layer in layers])
    joined = F.linear(vectors, weight, None if layers[0].bias is None else torch.cat([layer.bias for layer in layers]))
    sizes = [layer.weight.shape[0] for layer in layers]
    query, key, value = (split_heads(part, attention.d_head) for part in joined.split(sizes, dim=-1))
    if rotation is not None:
        query, key = rotate(query, rotation), rotate(key, rotation)
    heads = F.scaled_dot_product_attention(
        query,
        key,
        value,
        attn_mask=bias,
        is_causal=bias is None,
        scale=attention.query_scale / attention.d_head**0.5,
        enable_gqa=attention.queries_per_key > 1,
    )
    return attention.output(merge_heads(heads))


class LinearNats(torch.autograd.Function):
    """The surprise at each target, of logits `vectors @ table.T` that are made again where a gradient is wanted."""

    @staticmethod
    def forward(
        ctx: Any, vectors: Float[Tensor, "N D"], table: Float[Tensor, "V D"], targets: Int[Tensor, " N"]
    ) -> Float[Tensor, " N"]:
        nats, totals = [], []
        for part, wanted in zip(vectors.split(CHUNK), targets.split(CHUNK), strict=True):
            logits = part @ table.T
            totals.append(logits.logsumexp(dim=-1))
            of_target = logits.gather(-1, wanted.clamp(min=0)[:, None])[:, 0]
            nats.append((totals[-1] - of_target).masked_fill(wanted == IGNORE, 0.0))
        ctx.save_for_backward(vectors, table, targets, torch.cat(totals))
        return torch.cat(nats)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None]:
        vectors, table, targets, totals = ctx.saved_tensors
        weights = gradients[0].masked_fill(targets == IGNORE, 0.0)
        to_vectors, to_table = torch.empty_like(vectors), torch.zeros_like(table)
        for start in range(0, len(vectors), CHUNK):
            rows = slice(start, start + CHUNK)
            change = (vectors[rows] @ table.T).sub_(totals[rows, None]).exp_()  # probabilities
            change.scatter_add_(-1, targets[rows].clamp(min=0)[:, None], change.new_full((len(change), 1), -1.0))
            change.mul_(weights[rows, None])
            torch.mm(change, table, out=to_vectors[rows])
            to_table.addmm_(change.T, vectors[rows])
        return to_vectors, to_table, None
