"""What decoding asks of a model: ids in, logits out, and a cache where the model has one."""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from llmcourse.inference import FusedDecoder, fuse
from llmcourse.model import Transformer

LanguageModel = Callable[..., Tensor]  # `model(ids)` is B T V; also taken where it has them: `cache`, `is_real`


class Reader:
    """A model that is handed longer and longer ids, and reads only what it has not read yet.

    Any callable from ids to logits will do. A `new_cache()`, and a `config` that knows a context and the size of the
    vocabulary, are used where there are any. A Transformer of ordinary parts is read by its fused decoder, with the
    weights that it has now; where `is_tree`, all rows grow from one, and what they have in common is read once.
    """

    def __init__(self, model: LanguageModel, use_cache: bool = True, *, is_tree: bool = False) -> None:
        fused = _fused(model) if use_cache else None
        self.model = model if fused is None else fused
        new_cache = getattr(self.model, "new_cache", None) if fused is None or not is_tree else fused.new_tree
        self.cache: Any = new_cache() if use_cache and new_cache is not None else None
        config = getattr(model, "config", None)
        self.context: int | None = getattr(config, "context", None)
        self.vocab_size: int | None = getattr(config, "vocab_size", None)

    @torch.no_grad()
    def logits(
        self, ids: Int[Tensor, "B S"], is_real: Bool[Tensor, "B S"] | None = None, *, n_last: int = 1
    ) -> Float[Tensor, "B T V"]:
        """The logits after each of the last `n_last` ids; the ids before those stay what they were."""
        options: dict[str, Any] = {} if is_real is None else {"is_real": is_real}
        n_known = 0
        if self.cache is not None:
            n_known = min(len(self.cache), ids.shape[1] - n_last)
            if n_known < len(self.cache):
                self.cache.truncate(n_known)
            options["cache"] = self.cache
        if isinstance(self.model, FusedDecoder):
            options["n_last"] = n_last  # of a long prompt, the logits are most of the work
        return self.model(ids[:, n_known:], **options)[:, -n_last:]

    def reorder(self, rows: Int[Tensor, " B"]) -> None:
        """Row i goes on from what row `rows[i]` has read."""
        if self.cache is not None:
            self.cache.reorder(rows)

    def check(self, ids: Int[Tensor, "B T"], max_new_tokens: int) -> int:
        """How many new tokens there is room for, at most those that are asked for.

        Raises: ValueError for no new tokens, or a prompt that is empty, too long, or of another vocabulary.
        """
        if ids.numel() == 0:
            raise ValueError("The prompt is empty; begin with at least one token, such as the end-of-document token.")
        if max_new_tokens < 1:
            raise ValueError(f"max_new_tokens must be at least 1, not {max_new_tokens}.")
        length, context = ids.shape[1], self.context
        if context is not None and length > context:
            raise ValueError(f"A prompt of {length} tokens does not fit the context of {context}; shorten it.")
        known = self.vocab_size
        if int(ids.min()) < 0 or (known is not None and int(ids.max()) >= known):
            knows = "0 and up" if known is None else f"0 to {known - 1}"
            raise ValueError(
                f"The prompt holds ids from {int(ids.min())} to {int(ids.max())}; the model knows {knows}. "
                "Was it encoded with another tokenizer?"
            )
        return max_new_tokens if context is None else min(max_new_tokens, context - length + 1)


class FromSource:
    """An encoder-decoder bound to the source that it writes from, which it encodes once: a model like any other."""

    def __init__(
        self, model: Transformer, source: Int[Tensor, "B M"], is_real: Bool[Tensor, "B M"] | None = None
    ) -> None:
        with torch.no_grad():
            self.memory = model.encode(source, is_real=is_real)
        self.model, self.is_real, self.config, self.new_cache = model, is_real, model.config, model.new_cache

    def __call__(self, ids: Int[Tensor, "B T"], **options: Any) -> Float[Tensor, "B T V"]:
        rows = len(ids)  # all of them may read one source
        is_real = None if self.is_real is None else self.is_real.expand(rows, -1)
        memory = self.memory.expand(rows, -1, -1)
        return self.model.read_off(self.model.decode(ids, memory=memory, memory_is_real=is_real, **options))


def _fused(model: LanguageModel) -> FusedDecoder | None:
    return fuse(model.model, model.memory, model.is_real) if isinstance(model, FromSource) else fuse(model)


def bind(
    model: LanguageModel, source: Int[Tensor, "B M"] | None, is_real: Bool[Tensor, "B M"] | None = None
) -> LanguageModel:
    """The model itself, or the encoder-decoder bound to its source.

    Raises: ValueError for a source where none belongs, or none where the model needs one.
    """
    needs_source = isinstance(model, Transformer) and model.config.has_cross_attention
    if needs_source != (source is not None):
        raise ValueError("An encoder-decoder needs a source to write from, and no other model takes one.")
    return FromSource(model, source, is_real) if isinstance(model, Transformer) and source is not None else model
