"""A decoder's whole step in a few large operations: matrices joined, keys written in place, no module called.

It says once more what `llmcourse.model` says plainly, and gives the same numbers sooner.
"""

from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F

from llmcourse.inference.cache import InPlaceCache
from llmcourse.inference.layers import Layer, Matrix, Memory, Norm, norm_of
from llmcourse.inference.tree import TreeCache
from llmcourse.model import Transformer
from llmcourse.model.block import Block
from llmcourse.model.mask import before, positions_of, score_bias
from llmcourse.model.position import Rotation, rotate


class FusedDecoder:
    """The logits of a Transformer's decoder for new ids, after what was read before; its weights as they are now.

    With `memory` it reads that too: a single row of it serves all rows of ids, and otherwise each its own.
    """

    @torch.inference_mode()
    def __init__(
        self,
        model: Transformer,
        memory: Float[Tensor, "R M D"] | None = None,
        memory_is_real: Bool[Tensor, "R M"] | None = None,
    ) -> None:
        if model.decoder is None:
            raise ValueError("This model has no decoder: n_decoder_layers=0.")
        self.model, self.config, self.stack = model, model.config, model.decoder
        self.layers = [Layer.of(block, memory) for block in self.stack.blocks if isinstance(block, Block)]
        self.embed_norm = None if self.stack.embed_norm is None else norm_of(self.stack.embed_norm)
        self.final_norm = None if self.stack.final_norm is None else norm_of(self.stack.final_norm)
        self.n_sources = 1 if memory is None else len(memory)
        real = None if memory_is_real is None else memory_is_real[:, None, None]
        self.memory_bias = score_bias(real, None, model.tokens.weight.dtype)

    def new_cache(self) -> InPlaceCache:
        """An empty cache that fits."""
        return InPlaceCache(len(self.layers), self.config.kv_heads, self.config.head_width)

    def new_tree(self) -> TreeCache:
        """An empty cache for rows that grow from one."""
        return TreeCache(self.new_cache())

    def __call__(
        self,
        ids: Int[Tensor, "B N"],
        *,
        cache: InPlaceCache | TreeCache,
        is_real: Bool[Tensor, "B S"] | None = None,
        n_last: int | None = None,
    ) -> Float[Tensor, "B T V"]:
        """Logits after each of the new ids, or after the last `n_last`.

        `is_real` covers cached tokens too; a tree takes no padding. Raises: ValueError for lengths that do not fit.
        """
        with torch.inference_mode():
            vectors = self._vectors(ids, cache, is_real)
            logits = self.model.read_off(vectors if n_last is None else vectors[:, -n_last:])
        return logits.clone()  # an ordinary tensor, which its owner may write to

    def _vectors(self, ids: Tensor, cache: InPlaceCache | TreeCache, is_real: Tensor | None) -> Float[Tensor, "B N D"]:
        positions = self.model.count_positions(ids, is_real, len(cache))
        vectors = self._embed(ids, positions, cache)
        may_read: Tensor | None
        if isinstance(cache, TreeCache):
            assert is_real is None
            # all rows as one, in which each token reads what its own branch holds
            may_read = cache.begin(positions, vectors)[None, None]
            positions, key_positions, tokens, n_rows = positions.reshape(1, -1), cache.positions[None], cache.tokens, 1
        else:
            n_rows, n_new, tokens = *ids.shape, cache
            n_keys = len(cache) + n_new
            may_read = before(n_new, n_keys, is_real, ids.device)
            key_positions = torch.arange(n_keys, device=ids.device)[None] if is_real is None else positions_of(is_real)
            cache.begin(n_rows, n_new, vectors)
        asking = positions if is_real is not None else positions[:1]  # the same for all rows
        bias = score_bias(may_read, self.stack.position.bias(asking, key_positions), vectors.dtype)
        rotation = self.stack.position.rotation(positions)
        total = vectors.flatten(0, 1)
        for index, layer in enumerate(self.layers):
            read = partial(self._read, layer, partial(tokens.write, index), n_rows, bias, rotation)
            total = self._add(total, layer.norm, read, layer.output)
            if layer.memory is not None:
                total = self._add(total, layer.memory.norm, partial(self._remember, layer.memory), layer.memory.output)
            total = self._add(total, layer.feedforward_norm, layer.think, layer.down)
        return (total if self.final_norm is None else self.final_norm(total)).view(vectors.shape)

    def _add(self, total: Tensor, norm: Norm, sublayer: Callable[[Tensor], Tensor], output: Matrix) -> Tensor:
        if self.config.norm_first:
            return output.add_to(total, sublayer(norm(total)))
        return norm(output.add_to(total, sublayer(total)))

    def _embed(self, ids: Tensor, positions: Tensor, cache: InPlaceCache | TreeCache) -> Float[Tensor, "B N D"]:
        vectors = self.model.embed(ids)
        if self.stack.previous is not None:
            cache.ids = ids if cache.ids is None else torch.cat((cache.ids, ids), dim=1)
            ones_before = self.model.embed(F.pad(cache.ids, (1, 0))[:, -ids.shape[1] - 1 : -1])
            vectors = vectors + self.stack.previous * ones_before * (positions > 0)[..., None]
        vectors = self.stack.position.embed(vectors, positions)
        return vectors if self.embed_norm is None else self.embed_norm(vectors)

    def _read(
        self,
        layer: Layer,
        remember: Callable[[Tensor], tuple[Tensor, Tensor]],
        n_rows: int,
        bias: Tensor | None,
        rotation: Rotation | None,
        vectors: Float[Tensor, "N D"],
    ) -> Float[Tensor, "N wide"]:
        """What self-attention reads, before its last projection."""
        n_queries, n_keys, d_head = self.config.n_heads, self.config.kv_heads, self.config.head_width
        heads = layer.query_key_value(vectors).view(n_rows, -1, n_queries + 2 * n_keys, d_head)  # B T heads K
        if rotation is not None:
            turned = rotate(heads.narrow(2, 0, n_queries + n_keys).transpose(1, 2), rotation).transpose(1, 2)
            heads = torch.cat((turned, heads.narrow(2, n_queries + n_keys, n_keys)), dim=2)
        new = heads.narrow(2, n_queries, 2 * n_keys).view(n_rows, -1, 2, n_keys, d_head)
        keys, values = remember(new.permute(2, 0, 3, 1, 4))
        return attend_in_groups(heads.narrow(2, 0, n_queries), keys, values, bias)

    def _remember(self, memory: Memory, vectors: Float[Tensor, "N D"]) -> Float[Tensor, "N wide"]:
        queries = memory.query(vectors).view(self.n_sources, -1, self.config.n_heads, self.config.head_width)
        return attend_in_groups(queries, memory.keys, memory.values, self.memory_bias)


def attend_in_groups(
    queries: Float[Tensor, "B T H K"],
    keys: Float[Tensor, "BG S K"],
    values: Float[Tensor, "BG S K"],
    bias: Float[Tensor, "#B #H #T S"] | None,
) -> Float[Tensor, "BT wide"]:
    """`attend` for queries that are scaled already, the heads of each token laid end to end.

    Keys come for each row and group of heads, and the heads of a group read them in one product.
    """
    n_rows, n_new, n_heads, d_head = queries.shape
    n_groups = len(keys) // n_rows
    grouped = queries.view(n_rows, n_new, n_groups, -1, d_head).permute(0, 2, 3, 1, 4)
    scores = torch.bmm(grouped.reshape(len(keys), -1, d_head), keys.mT)
    if bias is not None:
        scores.view(n_rows, n_heads, n_new, -1).add_(bias)
    heads = torch.bmm(scores.softmax(dim=-1), values).view(n_rows, n_heads, n_new, d_head)
    return heads.transpose(1, 2).reshape(n_rows * n_new, -1)
