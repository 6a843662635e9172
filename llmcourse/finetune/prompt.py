"""Prompt tuning: a few learned vectors stand before every text, and the model itself stays as it is."""

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from llmcourse.finetune.parts import fingerprint, is_alike, load_part, save_part
from llmcourse.model import KVCache, Transformer, causal
from llmcourse.model.mask import positions_of

KIND = "prompt"


@dataclass(frozen=True)
class Limits:
    """What decoding asks of a model's config; the prompt has taken its part of the context."""

    vocab_size: int
    context: int | None


class PromptCache(KVCache):
    """A cache that does not count the vectors in front, so that its length is the number of ids that were read."""

    def __init__(self, n_layers: int, n_vectors: int) -> None:
        super().__init__(n_layers)
        self.n_vectors = n_vectors

    def __len__(self) -> int:
        return max(0, super().__len__() - self.n_vectors)

    def truncate(self, length: int) -> None:
        super().truncate(length + self.n_vectors if length else 0)


class PromptModel(nn.Module):
    """A frozen model behind learned vectors; a model like any other: ids in, logits out, with or without a cache.

    The vectors start as those of tokens drawn from the vocabulary. Raises: ValueError for no vectors, too many for
    the context, or a model of two stacks. Source: Lester et al. 2021.
    """

    def __init__(self, model: Transformer, n_vectors: int, generator: torch.Generator | None = None) -> None:
        super().__init__()
        config = model.config
        room = None if config.context is None else config.context - n_vectors
        if n_vectors < 1 or (room is not None and room < 1):
            raise ValueError(f"A prompt needs at least one vector and must leave room for a token, not {n_vectors}.")
        if config.has_cross_attention:
            raise ValueError("A prompt goes before one stack, an encoder or a decoder, not both.")
        self.model = model.requires_grad_(False)
        self.config = Limits(config.vocab_size, room)
        drawn = torch.randint(config.vocab_size, (n_vectors,), generator=generator)  # on the CPU, as its generator
        self.vectors = nn.Parameter(model.tokens.weight.detach()[drawn.to(model.tokens.weight.device)].clone())
        self.train(model.training)

    def forward(
        self,
        ids: Int[Tensor, "B T"],
        *,
        is_real: Bool[Tensor, "B S"] | None = None,
        cache: PromptCache | None = None,
    ) -> Float[Tensor, "B ... width"]:
        """What the model's head gives for the ids; the learned vectors are read, and give nothing themselves.

        Raises: ValueError for more ids than the context has room for.
        """
        n_cached = 0 if cache is None else len(cache)
        length = n_cached + ids.shape[1]
        room = self.config.context
        if room is not None and length > room:
            raise ValueError(f"{length} tokens do not fit: beside the prompt the context has room for {room}.")
        if is_real is None:
            is_real = torch.ones(len(ids), length, dtype=torch.bool, device=ids.device)
        # padding moves to the very front, since between the prompt and the text it would part them
        is_known = torch.cat((is_real.new_ones(len(ids), len(self.vectors)), is_real), dim=1)
        order = is_known.long().argsort(dim=1, stable=True)
        vectors = self.model.embed(ids)
        if n_cached == 0:
            vectors = _take(torch.cat((self.vectors.expand(len(ids), -1, -1), vectors), dim=1), order)
        vectors = self._run(vectors, is_known.gather(1, order), cache)
        if n_cached == 0:
            vectors = _take(vectors, order.argsort(dim=1)[:, len(self.vectors) :])
        return self.model.read_off(vectors, is_real)

    def _run(
        self, vectors: Float[Tensor, "B T D"], is_known: Bool[Tensor, "B S"], cache: PromptCache | None
    ) -> Float[Tensor, "B T D"]:
        positions = positions_of(is_known)[:, -vectors.shape[1] :]
        may_read = is_known[:, None, None, :]
        if self.model.decoder is None:
            assert self.model.encoder is not None
            return self.model.encoder(vectors, positions, may_read)
        may_read = may_read & causal(vectors.shape[1], is_known.shape[1], vectors.device)
        return self.model.decoder(vectors, positions, may_read, cache=cache)

    def new_cache(self) -> PromptCache:
        """An empty cache that fits the decoder."""
        return PromptCache(self.model.config.n_decoder_layers, len(self.vectors))

    def train(self, mode: bool = True) -> "PromptModel":
        """The mode for training or not; the frozen model stays in evaluation mode."""
        super().train(mode)
        self.model.eval()
        return self


def save_prompt(path: str | Path, model: PromptModel) -> None:
    """Writes the learned vectors alone, whole or not at all."""
    save_part(path, {"vectors": model.vectors}, KIND, {"sum": fingerprint(model.model.tokens.weight)})


def load_prompt(path: str | Path, model: Transformer) -> PromptModel:
    """The model, frozen, behind the vectors that were learned for it.

    Raises: ValueError where the file is damaged, or belongs to another model.
    """
    tensors, settings = load_part(path, KIND)
    vectors = tensors["vectors"]
    if vectors.shape[1] != model.config.d_model or not is_alike(model.tokens.weight, settings["sum"]):
        raise ValueError(f"{path} was learned for another model: its vectors stood before other tokens than these.")
    tuned = PromptModel(model, len(vectors))
    with torch.no_grad():
        tuned.vectors.copy_(vectors)
    return tuned


def _take(vectors: Float[Tensor, "B T D"], places: Int[Tensor, "B N"]) -> Float[Tensor, "B N D"]:
    """Each row's vectors at these places of it."""
    return vectors.gather(1, places[..., None].expand(-1, -1, vectors.shape[-1]))
