"""Probes: can a straight line through the vectors tell what is true of the text?"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Probe:
    """A score for each label that is a weighted sum of a vector's numbers; the highest wins."""

    labels: tuple[Hashable, ...]
    weights: Float[Tensor, "labels D"]
    bias: Float[Tensor, " labels"]

    def predict(self, vectors: Float[Tensor, "N D"]) -> list[Hashable]:
        """The likeliest label of each vector."""
        scores = vectors.double() @ self.weights.T + self.bias
        return [self.labels[index] for index in scores.argmax(dim=-1).tolist()]

    def accuracy(self, vectors: Float[Tensor, "N D"], truth: Sequence[Hashable]) -> float:
        """The share of vectors that it gives their true label."""
        return sum(a == b for a, b in zip(self.predict(vectors), truth, strict=True)) / len(truth)


def fit_probe(vectors: Float[Tensor, "N D"], truth: Sequence[Hashable], ridge: float = 1e-2) -> Probe:
    """The weights that come nearest, in squares, to 1 for each vector's true label and 0 for the others.

    `ridge` keeps the weights small, in units of how much the vectors' numbers vary. The solution is exact, so two runs
    agree. Raises: ValueError for fewer than two labels or unequal numbers of vectors and labels.
    """
    if len(vectors) != len(truth):
        raise ValueError(f"A probe needs one label for each vector: {len(vectors)} vectors, {len(truth)} labels.")
    labels = tuple(dict.fromkeys(truth))  # in order of their first use, whatever they are
    if len(labels) < 2:
        raise ValueError(f"A probe needs two labels or more to tell apart, not {len(labels)}.")
    if ridge <= 0:
        raise ValueError(f"ridge must be positive, not {ridge}.")
    places = {label: index for index, label in enumerate(labels)}
    wanted = torch.zeros(len(truth), len(labels), dtype=torch.float64)
    wanted[torch.arange(len(truth)), _indices(truth, places)] = 1
    x = vectors.double()
    centre, mean = x.mean(dim=0), wanted.mean(dim=0)
    x = x - centre
    square = x.T @ x
    penalty = ridge * square.diagonal().mean().clamp(min=1e-12) * torch.eye(len(square), dtype=x.dtype)
    weights = torch.linalg.solve(square + penalty, x.T @ (wanted - mean)).T  # labels D
    return Probe(labels, weights, mean - weights @ centre)


@dataclass(frozen=True)
class ProbeScore:
    """The shares of held-out vectors that a probe labels rightly."""

    accuracy: float
    control: float  # of a probe that was trained on the same labels, dealt out by chance
    majority: float  # of always saying the label that was most frequent in training

    @property
    def selectivity(self) -> float:
        """What the vectors hold, beyond what a probe makes of nothing."""
        return self.accuracy - self.control


def probe(
    vectors: Float[Tensor, "N D"],
    truth: Sequence[Hashable],
    held_vectors: Float[Tensor, "N_held D"],
    held_truth: Sequence[Hashable],
    generator: torch.Generator,
    ridge: float = 1e-2,
) -> ProbeScore:
    """A probe's score on held-out vectors, beside that of a control task with shuffled labels.

    Source: Hewitt & Liang 2019, for the idea of a control task; theirs gives each word a label by chance.
    """
    order = torch.randperm(len(truth), generator=generator).tolist()
    shuffled = [truth[index] for index in order]
    most = max(dict.fromkeys(truth), key=list(truth).count)
    return ProbeScore(
        fit_probe(vectors, truth, ridge).accuracy(held_vectors, held_truth),
        fit_probe(vectors, shuffled, ridge).accuracy(held_vectors, held_truth),
        sum(label == most for label in held_truth) / len(held_truth),
    )


def _indices(truth: Sequence[Hashable], places: dict[Hashable, int]) -> Int[Tensor, " N"]:
    return torch.tensor([places[label] for label in truth])
