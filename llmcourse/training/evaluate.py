"""How good a model is, in the units that can be compared: nats, perplexity, bits per byte."""

import math
import statistics
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn

from llmcourse.data import Batch
from llmcourse.training.loss import Objective, next_token_nats


@dataclass(frozen=True)
class Evaluation:
    """A model's surprise at held-out documents. A document is a row of a batch."""

    document_nats: tuple[float, ...]
    n_tokens: int
    n_bytes: int | None = None  # of the documents as UTF-8, where the caller knows it

    @property
    def nats_per_document(self) -> float:
        return statistics.fmean(self.document_nats)

    @property
    def stderr(self) -> float:
        """Standard error of `nats_per_document`, from the spread between documents."""
        n = len(self.document_nats)
        return statistics.stdev(self.document_nats) / math.sqrt(n) if n > 1 else math.inf

    @property
    def nats_per_token(self) -> float:
        return math.fsum(self.document_nats) / self.n_tokens

    @property
    def perplexity(self) -> float:
        """Among how many equally likely tokens the model is as unsure."""
        return math.exp(self.nats_per_token) if self.nats_per_token < 700 else math.inf

    @property
    def bits_per_byte(self) -> float:
        """Bits needed per byte of text, which no choice of tokens changes. Raises: ValueError without `n_bytes`."""
        if self.n_bytes is None:
            raise ValueError("Bits per byte need to know how long the text was: evaluate(..., n_bytes=...).")
        return math.fsum(self.document_nats) / math.log(2) / self.n_bytes


def evaluate(
    model: nn.Module, batches: Iterable[Batch], *, n_bytes: int | None = None, objective: Objective = next_token_nats
) -> Evaluation:
    """The model's surprise at the batches, with dropout off; afterwards it is in the mode that it was in.

    Raises: ValueError where there is nothing to predict.
    """
    device = next(model.parameters()).device
    document_nats: list[float] = []
    n_tokens = 0
    with evaluation_mode(model), torch.no_grad():
        for batch in batches:
            batch = batch.to(device)
            document_nats += objective(model, batch).double().sum(dim=1).tolist()
            n_tokens += batch.n_targets
    if not n_tokens:
        raise ValueError("There is nothing to evaluate on: the batches hold no targets.")
    return Evaluation(tuple(document_nats), n_tokens, n_bytes)


@contextmanager
def evaluation_mode(model: nn.Module) -> Iterator[None]:
    """Dropout off within the block; then each module is in the mode that it was in, even after an error."""
    was_training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        yield
    finally:
        for module in was_training:
            module.training = True
