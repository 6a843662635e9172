"""Token ids cut into batches: what the model reads, and beside each token the one that it should expect next."""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Int
from torch import Tensor

IGNORE = -100


@runtime_checkable
class Encoder(Protocol):
    """Anything that turns text into ids."""

    def encode(self, text: str) -> list[int]: ...


@dataclass(frozen=True)
class Batch:
    """Inputs and, at the same places, the tokens that follow them; targets are `IGNORE` where there is none."""

    inputs: Int[Tensor, "B T"]
    targets: Int[Tensor, "B T"]

    @cached_property
    def is_target(self) -> Bool[Tensor, "B T"]:
        """True where there is something to predict."""
        return self.targets != IGNORE

    @cached_property
    def n_targets(self) -> int:
        """How many tokens there are to predict."""
        return int(self.is_target.sum())

    def to(self, device: torch.device) -> "Batch":
        """The same batch on `device`."""
        if self.inputs.device == device:
            return self
        return self._map(lambda tensor: tensor.to(device))

    def share(self, place: int, n_shares: int) -> "Batch":
        """Every row whose number leaves `place` when divided by `n_shares`: together the shares are the batch."""
        return self._map(lambda tensor: tensor[place::n_shares])

    def _map(self, change: Callable[[Tensor], Tensor]) -> "Batch":
        return type(self)(**{each.name: change(getattr(self, each.name)) for each in fields(self)})


def encode_documents(texts: Iterable[str], tokenizer: Encoder, eos: int, context: int | None = None) -> list[list[int]]:
    """The ids of each text between two `eos`: the first is there to start from, the last is there to be predicted.

    Raises: ValueError where a document has more tokens to read than `context`.
    """
    documents = [[eos, *tokenizer.encode(text), eos] for text in texts]
    if context is not None:
        for index, ids in enumerate(documents):
            if len(ids) - 1 > context:  # the last id is only a target
                raise ValueError(
                    f"Document {index} has {len(ids) - 1} tokens to read, more than the context of {context}: "
                    "raise the context, or split the document."
                )
    return documents


def pad_documents(documents: Sequence[Sequence[int]]) -> Batch:
    """One row per document, padded on the right.

    Padding needs no mask in a decoder: no token reads what comes after it, and no loss is counted there.
    """
    length = max(len(ids) for ids in documents) - 1
    inputs = torch.zeros(len(documents), length, dtype=torch.long)
    targets = torch.full((len(documents), length), IGNORE)
    for row, ids in enumerate(documents):
        inputs[row, : len(ids) - 1] = torch.tensor(ids[:-1])
        targets[row, : len(ids) - 1] = torch.tensor(ids[1:])
    return Batch(inputs, targets)


class DocumentBatches:
    """Whole documents, every one once per epoch, in an order that `seed` and the epoch decide.

    With `pool` above 1, the documents of that many neighbouring batches are dealt out again by their length: less is
    padded. `batch(step)` depends on nothing but the step, so a resumed run goes on exactly where it was.
    """

    def __init__(self, documents: Sequence[Sequence[int]], batch_size: int, seed: int = 0, pool: int = 1) -> None:
        if batch_size < 1 or pool < 1:
            raise ValueError(f"batch_size and pool must be at least 1, not {batch_size} and {pool}.")
        if not documents:
            raise ValueError("There are no documents to make batches of.")
        shortest = min(len(ids) for ids in documents)
        if shortest < 2:
            raise ValueError(f"A document needs two ids, one to read and one to predict; the shortest has {shortest}.")
        self.documents = documents
        self.batch_size = batch_size
        self.seed = seed
        self.pool = pool
        self._order: tuple[int, list[int]] = (-1, [])

    def __len__(self) -> int:
        """Steps that see every document once; the last of them may run into the next epoch."""
        return -(-len(self.documents) // self.batch_size)

    def batch(self, step: int) -> Batch:
        """The batch of that step, counted from 0 and without an end."""
        return pad_documents(self.documents_of(step))

    def documents_of(self, step: int) -> list[Sequence[int]]:
        """The documents of that step's batch, in the order of its rows."""
        first = step * self.batch_size
        return [self._document(first + row) for row in range(self.batch_size)]

    def _document(self, index: int) -> Sequence[int]:
        epoch, place = divmod(index, len(self.documents))
        if self._order[0] != epoch:
            self._order = (epoch, self._order_of(epoch))
        return self.documents[self._order[1][place]]

    def _order_of(self, epoch: int) -> list[int]:
        order = permutation(len(self.documents), self.seed, epoch)
        if self.pool == 1:
            return order
        chance, size, dealt = random.Random(f"pool {self.seed} {epoch}"), self.batch_size, list[int]()
        for first in range(0, len(order), self.pool * size):
            by_length = sorted(order[first : first + self.pool * size], key=lambda index: len(self.documents[index]))
            batches = [by_length[i : i + size] for i in range(0, len(by_length), size)]
            whole, rest = [b for b in batches if len(b) == size], [b for b in batches if len(b) < size]
            chance.shuffle(whole)  # or every pool would begin with its shortest
            dealt += [index for batch in whole + rest for index in batch]
        return dealt


class WindowBatches:
    """Windows of `context` tokens from one long text; no token is a target twice in an epoch.

    Each epoch's first window starts elsewhere, so that every cut is seen. `batch(step)` depends on the step alone.
    """

    def __init__(self, ids: Sequence[int] | Tensor, batch_size: int, context: int, seed: int = 0) -> None:
        if batch_size < 1 or context < 1:
            raise ValueError(f"batch_size and context must be at least 1, not {batch_size} and {context}.")
        self.ids = torch.as_tensor(ids, dtype=torch.long)
        if len(self.ids) < 2 * context:
            raise ValueError(f"{len(self.ids)} tokens are too few: windows of {context} need {2 * context} or more.")
        self.batch_size = batch_size
        self.context = context
        self.seed = seed
        self.windows_per_epoch = (len(self.ids) - context) // context  # leaves room for `context` starts or more
        self._starts: tuple[int, list[int]] = (-1, [])

    def __len__(self) -> int:
        """Steps in an epoch; the last of them may run into the next one."""
        return -(-self.windows_per_epoch // self.batch_size)

    def batch(self, step: int) -> Batch:
        """The batch of that step, counted from 0 and without an end."""
        first = step * self.batch_size
        starts = torch.tensor([self._start(first + row) for row in range(self.batch_size)])
        windows = self.ids[starts[:, None] + torch.arange(self.context + 1)]
        return Batch(windows[:, :-1], windows[:, 1:])

    def _start(self, index: int) -> int:
        epoch, place = divmod(index, self.windows_per_epoch)
        if self._starts[0] != epoch:
            room = len(self.ids) - self.windows_per_epoch * self.context
            offset = random.Random(f"window {self.seed} {epoch}").randrange(room)
            order = permutation(self.windows_per_epoch, self.seed, epoch)
            self._starts = (epoch, [offset + window * self.context for window in order])
        return self._starts[1][place]


def in_order(documents: Sequence[Sequence[int]], batch_size: int) -> list[Batch]:
    """Every document exactly once, for evaluation; neighbours have like lengths, so little is padded."""
    by_length = sorted(documents, key=len)
    return [pad_documents(by_length[i : i + batch_size]) for i in range(0, len(by_length), batch_size)]


def permutation(n: int, seed: int, epoch: int) -> list[int]:
    """The numbers below `n` in an order that only `seed` and `epoch` decide."""
    generator = torch.Generator().manual_seed(random.Random(f"order {seed} {epoch}").getrandbits(63))
    return torch.randperm(n, generator=generator).tolist()
