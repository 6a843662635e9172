"""Labelled examples in batches: every example once per epoch, in an order that a seed decides."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from llmcourse.data import Batch
from llmcourse.data.batching import permutation

Example = TypeVar("Example")


class ExampleBatches(Generic[Example]):
    """Batches for `train`: `collate` makes one of a few examples. `batch(step)` depends on the step alone."""

    def __init__(
        self, examples: Sequence[Example], collate: Callable[[Sequence[Example]], Batch], batch_size: int, seed: int = 0
    ) -> None:
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, not {batch_size}.")
        if not examples:
            raise ValueError("There are no examples to make batches of.")
        self.examples = examples
        self.collate = collate
        self.batch_size = batch_size
        self.seed = seed
        self._order: tuple[int, list[int]] = (-1, [])

    def __len__(self) -> int:
        """Steps that see every example once; the last of them may run into the next epoch."""
        return -(-len(self.examples) // self.batch_size)

    def batch(self, step: int) -> Batch:
        """The batch of that step, counted from 0 and without an end."""
        first = step * self.batch_size
        return self.collate([self._example(first + row) for row in range(self.batch_size)])

    def in_order(self) -> list[Batch]:
        """Every example exactly once, in the order in which they were given: for evaluation."""
        n = len(self.examples)
        return [self.collate(self.examples[i : i + self.batch_size]) for i in range(0, n, self.batch_size)]

    def _example(self, index: int) -> Example:
        epoch, place = divmod(index, len(self.examples))
        if self._order[0] != epoch:
            self._order = (epoch, permutation(len(self.examples), self.seed, epoch))
        return self.examples[self._order[1][place]]


def pad_right(rows: Sequence[Sequence[int]], filler: int) -> Int[Tensor, "B T"]:
    """The rows as one tensor; what a short row lacks at its end is `filler`."""
    length = max(len(row) for row in rows)
    return torch.tensor([[*row, *[filler] * (length - len(row))] for row in rows])


def pad_left(rows: Sequence[Sequence[int]]) -> tuple[Int[Tensor, "B T"], Bool[Tensor, "B T"]]:
    """The rows as one tensor that ends with all rows' last ids, and where it is real: prompts to go on from."""
    length = max(len(row) for row in rows)
    ids = torch.tensor([[*[0] * (length - len(row)), *row] for row in rows])
    n_padding = torch.tensor([length - len(row) for row in rows])
    return ids, torch.arange(length) >= n_padding[:, None]


@dataclass(frozen=True)
class Accuracy:
    """How many of `n` answers were right."""

    n_right: int
    n: int

    @property
    def share(self) -> float:
        return self.n_right / self.n

    @property
    def stderr(self) -> float:
        """Standard error of the share, were the `n` drawn afresh."""
        return math.sqrt(self.share * (1 - self.share) / self.n)


def accuracy(given: Sequence[str], true: Sequence[str]) -> Accuracy:
    """How many of the answers equal the true one, letter by letter.

    Raises: ValueError for no answers, or for a different number of them.
    """
    if len(given) != len(true) or not true:
        raise ValueError(f"Each answer needs its true one: {len(given)} answers, {len(true)} true ones.")
    return Accuracy(sum(ours == truth for ours, truth in zip(given, true, strict=True)), len(true))
