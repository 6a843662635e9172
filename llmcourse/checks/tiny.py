"""The smallest model that training can be checked on: it notes how it is used, and its gradients are known."""

import random
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from llmcourse.checks.core import CheckFailed, normal
from llmcourse.data import IGNORE, Batch

AREA = "training"


class TinyModel(nn.Module):
    """An embedding, dropout and a layer of logits; each forward pass is noted in `seen`."""

    def __init__(self, n_vocab: int, seed: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.embedding = nn.Parameter(normal(seed, n_vocab, 4))
        self.unused = nn.Parameter(normal(seed + 1, 3))  # its gradient stays None, as that of an idle part does
        self.logits = nn.Parameter(normal(seed + 2, n_vocab, 4))
        self.dropout = nn.Dropout(dropout)
        self.seen: list[tuple[bool, bool]] = []  # (in training mode, gradients on)

    def forward(self, ids: Tensor) -> Tensor:
        self.seen.append((self.training, torch.is_grad_enabled()))
        return F.linear(self.dropout(F.embedding(ids, self.embedding)), self.logits)


def padded_batch(seed: int, n_vocab: int, lengths: Sequence[int]) -> Batch:
    """One row of random ids per length, padded on the right; id 0 is a token like any other."""
    generator = torch.Generator().manual_seed(seed % 2**63)
    inputs = torch.randint(n_vocab, (len(lengths), max(lengths)), generator=generator)
    targets = torch.randint(n_vocab, inputs.shape, generator=generator)
    targets[:, 0] = 0
    for row, length in enumerate(lengths):
        inputs[row, length:] = 0
        targets[row, length:] = IGNORE
    return Batch(inputs, targets)


def uneven_batches(seed: int, n_vocab: int) -> list[Batch]:
    """Three batches that differ in rows, length and padding, the last with by far the fewest tokens to predict."""
    draw = random.Random(f"uneven {seed}")
    lengths = [
        [draw.randint(7, 9), draw.randint(4, 6), draw.randint(4, 6)],
        [10, draw.randint(1, 3), draw.randint(1, 3), draw.randint(1, 3)],
        [draw.randint(2, 3), 1],
    ]
    return [padded_batch(seed + i, n_vocab, rows) for i, rows in enumerate(lengths)]


def mean_nats(logits: Tensor, targets: Tensor) -> Tensor:
    """The mean surprise over the targets that count, in nats: what checks hand to later tasks."""
    return F.cross_entropy(logits.flatten(0, -2), targets.flatten(), ignore_index=IGNORE)


def as_number(name: str, value: Any, what: str) -> float:
    """The value as a plain number.

    Raises: CheckFailed where it is none.
    """
    single = isinstance(value, Tensor) and value.numel() == 1 and not value.is_complex()
    if isinstance(value, int | float) or single:
        # torch warns where a number is taken from a graph, and a warning in a test cell costs all its points
        return float(value.detach() if isinstance(value, Tensor) else value)
    got = f"a tensor of shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
    hint = " Is there a `return`?" if value is None else ""
    raise CheckFailed(f"{AREA}.not-a-number", f"{name} should return {what}, a single number, not {got}.{hint}")
