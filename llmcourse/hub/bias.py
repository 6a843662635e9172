"""A planted bias, read back from a trained model: how often it expects `he` or `she` of a visitor with a job."""

import math
import statistics
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn

from llmcourse.tokenizers import ByteBPE
from llmcourse.training import evaluation_mode
from llmcourse.world import World

PRONOUNS = ("She", "He")


@dataclass(frozen=True)
class PronounShare:
    """The probability of `she` for visitors with one job: as planted in the world, and as the model has it."""

    job: str
    planted: float
    model: float  # mean over stories
    stderr: float  # of that mean, from the spread between stories
    n: int

    @property
    def lean(self) -> float:
        """How far the model goes beyond the world in the direction that the world leans to; below 0, less far."""
        return (self.model - self.planted) * math.copysign(1.0, self.planted - 0.5)


def pronoun_shares(
    model: nn.Module, tokenizer: ByteBPE, world: World, n: int = 400, seed: int = 0
) -> list[PronounShare]:
    """One share for each job of a visitor among `n` test stories about visitors, in the order of the jobs' names.

    Raises: ValueError where the world tells no stories about visitors.
    """
    told: dict[str, list[float]] = {}
    for job, beginning in _beginnings(world, n, seed):
        told.setdefault(job, []).append(_share_of_she(model, tokenizer, beginning))
    return [
        PronounShare(
            job,
            world.pronoun_probs(job)["she"],
            statistics.fmean(shares),
            statistics.stdev(shares) / math.sqrt(len(shares)) if len(shares) > 1 else math.inf,
            len(shares),
        )
        for job, shares in sorted(told.items())
    ]


def amplification(shares: list[PronounShare]) -> tuple[float, float]:
    """The mean lean beyond the world's over all jobs, and its standard error: above 0, the model exaggerates."""
    leans = [share.lean for share in shares]
    error = statistics.stdev(leans) / math.sqrt(len(leans)) if len(leans) > 1 else math.inf
    return statistics.fmean(leans), error


def _beginnings(world: World, n: int, seed: int) -> Iterator[tuple[str, str]]:
    """The job of a visitor, and the story up to where the visitor's pronoun comes next."""
    if "stranger" not in world.dials.plots:
        raise ValueError(f"Only the plot 'stranger' tells of visitors, and this world has {world.dials.plots}.")
    visitors = World(world.seed, **{**vars(world.dials), "plots": ("stranger",)})
    for document in visitors.documents(n, "test", seed):
        words = document.text.split(" ")
        for place, word in enumerate(words):
            beginning = " ".join(words[:place])
            if word in PRONOUNS and set(visitors.next_word_probs(beginning)) >= set(PRONOUNS):
                yield document.labels["job"], beginning
                break


def _share_of_she(model: nn.Module, tokenizer: ByteBPE, beginning: str) -> float:
    """The model's probability of `She` against `He` as the next word."""
    ids = [tokenizer.special_id("<|end|>"), *tokenizer.encode(beginning)]
    costs = []
    with evaluation_mode(model), torch.no_grad():
        for pronoun in PRONOUNS:
            spelt = tokenizer.encode(f" {pronoun}")
            log_probs = model(torch.tensor([[*ids, *spelt[:-1]]]))[0, len(ids) - 1 :].double().log_softmax(dim=-1)
            costs.append(sum(float(log_probs[i, token]) for i, token in enumerate(spelt)))
    she, he = costs
    return 1 / (1 + math.exp(he - she))
