"""Texts as vectors: what means the same comes to lie close together."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from llmcourse.data import IGNORE, Batch
from llmcourse.finetune.classify import encode_start
from llmcourse.finetune.examples import ExampleBatches, pad_right
from llmcourse.finetune.rehead import with_head
from llmcourse.model import Transformer
from llmcourse.model.attention import Attend
from llmcourse.model.config import Pool
from llmcourse.tokenizers import ByteBPE
from llmcourse.training import Objective, evaluation_mode
from llmcourse.world import World
from llmcourse.world.tasks.paraphrases import told_thrice
from llmcourse.world.weights import stable_random

Told = tuple[str, ...]  # a text, the same in other words, and perhaps texts that only look like it


def embedder(base: Transformer, pool: Pool = "mean", attend: Attend | None = None) -> Transformer:
    """A copy of the layers of `base` that gives one vector for a text: the mean over its tokens, or one of them.

    Source: Reimers and Gurevych 2019.
    """
    return with_head(base, attend, head="embed", n_labels=0, pool=pool)


def embed(
    model: Transformer, tokenizer: ByteBPE, texts: Sequence[str], batch_size: int = 32
) -> Float[Tensor, "texts D"]:
    """A vector of length 1 for each text, with dropout off. Texts of like length are read side by side."""
    device = next(model.parameters()).device
    ids = [encode_start(text, tokenizer) for text in texts]
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    vectors = torch.zeros(len(ids), model.config.d_model)
    with evaluation_mode(model), torch.no_grad():
        for first in range(0, len(order), batch_size):
            rows = order[first : first + batch_size]
            batch = text_batch([ids[i] for i in rows], n_queries=1).to(device)
            vectors[rows] = unit_vectors(model, batch).cpu()
    return vectors


@dataclass(frozen=True)
class TextBatch(Batch):
    """Texts padded on the right: first the queries, then for each in turn the text that it is to find, then others.

    It counts queries. Every real token is its own target, which says no more than where the padding is.
    """

    n_queries: int

    @cached_property
    def n_targets(self) -> int:
        return self.n_queries

    def to(self, device: torch.device) -> "TextBatch":
        return TextBatch(self.inputs.to(device), self.targets.to(device), self.n_queries)


def text_batch(ids: Sequence[Sequence[int]], n_queries: int) -> TextBatch:
    """The texts as one batch of which the first `n_queries` are queries."""
    return TextBatch(pad_right(ids, 0), pad_right(ids, IGNORE), n_queries)


def unit_vectors(model: nn.Module, batch: Batch) -> Float[Tensor, "texts D"]:
    """The model's vector for each row, scaled to length 1."""
    return F.normalize(model(batch.inputs, is_real=batch.is_target), dim=-1)


def info_nce(
    queries: Float[Tensor, "queries D"], candidates: Float[Tensor, "candidates D"], temperature: float
) -> Float[Tensor, " queries"]:
    """The surprise, in nats, that query i belongs to candidate i, judged by how near each candidate is.

    All vectors have length 1, so that products are cosines. Source: van den Oord et al. 2018.
    """
    cosines = queries @ candidates.T
    return F.cross_entropy(cosines / temperature, torch.arange(len(queries), device=queries.device), reduction="none")


def contrast_objective(temperature: float = 0.05) -> Objective:
    """What embedding training minimises, for `train`: each query against all other texts of the batch.

    Raises: ValueError unless temperature > 0; and from the objective, for batches without queries.
    """
    if not temperature > 0:
        raise ValueError(f"temperature must be positive, not {temperature}.")

    def objective(model: nn.Module, batch: Batch) -> Float[Tensor, "queries 1"]:
        if not isinstance(batch, TextBatch):
            raise ValueError(f"Embedding trains on the batches of told_batches, not on {type(batch).__name__}.")
        vectors = unit_vectors(model, batch)
        return info_nce(vectors[: batch.n_queries], vectors[batch.n_queries :], temperature)[:, None]

    return objective


def retold(world: World, n: int, split: str = "train", seed: int = 0) -> list[Told]:
    """`n` stories, each with the same in other words and with one that differs from it in a fact."""
    random = stable_random("task", "retold", world.seed, split, seed)
    told = world.training if split == "train" else world
    return [told_thrice(told, random) for _ in range(n)]


def told_batches(told: Sequence[Told], tokenizer: ByteBPE, batch_size: int = 16, seed: int = 0) -> ExampleBatches[Told]:
    """Batches of texts, each with its like in other words, and with what only looks like it where that is given.

    Raises: ValueError for a text without its like.
    """
    alone = [each for each in told if len(each) < 2]
    if alone:
        raise ValueError(f"A text needs its like in other words: {alone[0]!r} has none.")

    def collate(few: Sequence[Told]) -> TextBatch:
        queries, likes = ([each[place] for each in few] for place in (0, 1))
        others = [text for each in few for text in each[2:]]
        return text_batch([encode_start(text, tokenizer) for text in [*queries, *likes, *others]], len(few))

    return ExampleBatches(told, collate, batch_size, seed)
