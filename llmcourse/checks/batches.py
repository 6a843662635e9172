"""Checks of what a model trains on: documents held out for validation, and windows with their targets."""

import random
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from llmcourse.checks.core import CheckFailed, Function, Mistake, call, expect_shape, expect_tensor, name_the_mistake
from llmcourse.checks.core import name_of as named
from llmcourse.checks.tiny import AREA
from llmcourse.data import Batch

Documents = list[list[int]]


def check_split(split_documents: Function, seed: int = 0) -> None:
    """The last documents are held out, and training sees none of them, not even as a copy."""
    draw = random.Random(f"split {seed}")
    n, n_validation = draw.randint(12, 18), draw.randint(3, 5)
    documents = [[0, *draw.choices(range(1, 50), k=draw.randint(3, 7)), 0] for _ in range(n)]
    split(split_documents, documents, n_validation)
    # real collections repeat themselves: one held-out document has a copy in front, and training has a pair too
    copied = [*documents[:2], list(documents[-2]), *documents[2:], *documents[-1:]]
    copied[3] = list(copied[0])
    split(split_documents, copied, n_validation)


def split(function: Function, documents: Documents, n_validation: int) -> None:
    """Raises: CheckFailed unless these documents are split well."""
    name, kept = named(function), [list(ids) for ids in documents]
    result = call(AREA, function, documents, n_validation)
    if documents != kept:
        raise CheckFailed(f"{AREA}.changes-input", f"{name} changes the list that it is given: make new lists.")
    if not isinstance(result, tuple | list) or len(result) != 2 or not all(isinstance(p, tuple | list) for p in result):
        got = "nothing" if result is None else type(result).__name__
        message = f"{name} should return two lists, training and validation, but returns {got}."
        raise CheckFailed(f"{AREA}.split-result", message)
    train, validation = ([list(ids) for ids in part] for part in result)
    judge_split(documents, train, validation, n_validation)


def judge_split(documents: Documents, train: Documents, validation: Documents, n_validation: int) -> None:
    """Raises: CheckFailed naming what is wrong with this split."""
    held_out = documents[-n_validation:]
    expected = [ids for ids in documents[:-n_validation] if ids not in held_out]
    if train == held_out and validation != held_out:
        message = "The two lists are the wrong way round: first the documents to train on, then those for validation."
        raise CheckFailed(f"{AREA}.split-swapped", message)
    shared = [ids for ids in train if ids in validation]
    if shared and shared[0] in documents[: len(documents) - n_validation]:
        message = (
            f"Document {documents.index(shared[0])} has a copy among the validation documents, and is trained on. "
            "A model that learnt it by heart would look good: leave copies out of the training list."
        )
        raise CheckFailed(f"{AREA}.validation-copies", message)
    if shared:
        message = (
            f"{len(shared)} of the {len(validation)} validation documents are trained on as well, "
            "so the validation loss says nothing about new text."
        )
        raise CheckFailed(f"{AREA}.validation-in-training", message)
    if validation != held_out:
        message = f"Validation should hold the last {n_validation} documents, in order; yours holds {len(validation)}"
        message += " others." if len(validation) == n_validation else "."
        raise CheckFailed(f"{AREA}.split-validation", message)
    if train != expected:
        message = (
            f"Training should hold the other {len(expected)} documents, in order; yours holds {len(train)}. "
            "Only copies of validation documents are left out."
        )
        raise CheckFailed(f"{AREA}.split-training", message)


def check_windows(sample_windows: Function, seed: int = 0) -> None:
    """Windows start anywhere that leaves room, and each target is the token after its input."""
    draw = random.Random(f"windows {seed}")
    n_rows, context = draw.sample(range(3, 9), 2)
    one = Windows(sample_windows, seed, n_ids=context + 1, n_rows=n_rows, context=context)
    many = Windows(sample_windows, seed, n_ids=60 * context, n_rows=n_rows, context=context)
    many.judge_targets()
    one.judge_targets()
    many.judge_randomness()
    # with few places to start from and many rows, each place turns up: missing it once has odds below 1e-40
    few = Windows(sample_windows, seed + 1, n_ids=context + 4, n_rows=400, context=context)
    few.judge_targets()
    missing = sorted({0, 1, 2, 3} - set(few.starts().tolist()))
    if missing:
        message = (
            f"With {context + 4} tokens and windows of {context}, a window can start at 0, 1, 2 or 3; "
            f"yours never starts at {missing[0]}."
        )
        raise CheckFailed(f"{AREA}.start-range", message)


class Windows:
    """A batch of a student's windows over ids that are all different, so that each id tells its place."""

    def __init__(self, function: Function, seed: int, *, n_ids: int, n_rows: int, context: int) -> None:
        generator = torch.Generator().manual_seed(seed % 2**63)
        self.ids = torch.randperm(n_ids, generator=generator)
        self.places = self.ids.argsort()
        self.function, self.seed, self.n_rows, self.context = function, seed, n_rows, context
        self.inputs, self.targets = self.draw(generator)

    def draw(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Inputs and targets of one batch."""
        try:
            result = call(AREA, self.function, self.ids, self.n_rows, self.context, generator)
        except CheckFailed as failure:
            # on so long a row of tokens a window rarely falls off the end: then it was the range, and nothing else
            if failure.code == f"{AREA}.raises" and self.works_on_long_texts():
                raise CheckFailed(f"{AREA}.start-range", self.out_of_range() + " " + failure.message) from failure
            raise
        inputs, targets = self.pair(result)
        for what, tensor in (("inputs", inputs), ("targets", targets)):
            if tensor.shape != (self.n_rows, self.context):
                expect_shape(AREA, f"{named(self.function)} ({what})", tensor, (self.n_rows, self.context), "B T")
        return inputs, targets

    def pair(self, result: Any) -> tuple[Tensor, Tensor]:
        """Inputs and targets from a Batch or a pair."""
        if isinstance(result, Batch):
            result = (result.inputs, result.targets)
        if not isinstance(result, tuple | list) or len(result) != 2:
            hint = " Is there a `return`?" if result is None else ""
            message = f"{named(self.function)} should return Batch(inputs, targets), not {type(result).__name__}.{hint}"
            raise CheckFailed(f"{AREA}.not-a-batch", message)
        inputs, targets = (expect_tensor(AREA, named(self.function), part) for part in result)
        return inputs, targets

    def works_on_long_texts(self) -> bool:
        """Whether the function runs where nearly every start leaves room."""
        try:
            call(AREA, self.function, torch.arange(100_000), 2, self.context, torch.Generator().manual_seed(1))
        except CheckFailed:
            return False
        return True

    def out_of_range(self) -> str:
        return (
            f"In {len(self.ids)} tokens the last window of {self.context} starts at "
            f"{len(self.ids) - self.context - 1}, so that its last target exists; the first starts at 0."
        )

    def starts(self) -> Tensor:
        """Where each row begins."""
        return self.places[self.inputs[:, 0].long()]

    def judge_targets(self) -> None:
        """Raises: CheckFailed unless rows are neighbours in the text and targets are one further."""
        places = self.starts()[:, None] + torch.arange(self.context)
        if (places.max() >= len(self.ids)) or not torch.equal(self.inputs.long(), self.ids[places]):
            if not self.runs_on(self.inputs.tolist()):
                message = "Inputs should be neighbours in the text: `context` tokens in a row from the start on."
                raise CheckFailed(f"{AREA}.window-broken", message)
            raise CheckFailed(f"{AREA}.start-range", "A window falls off the end of the text. " + self.out_of_range())
        if places.max() + 1 >= len(self.ids):
            message = "The last target of a window lies beyond the text. " + self.out_of_range()
            raise CheckFailed(f"{AREA}.start-range", message)
        if torch.equal(self.targets.long(), self.ids[places + 1]):
            return
        name_the_mistake(self.targets, self.wrong_targets(places))
        message = "Targets should be the tokens that follow: targets[:, t] is the token after inputs[:, t] in the text."
        raise CheckFailed(f"{AREA}.targets", message)

    def runs_on(self, rows: Sequence[Sequence[int]]) -> bool:
        """Whether each token follows the one before it, if the text went round in a circle."""
        places = self.places[torch.tensor(rows)]
        return bool(((places[:, 1:] - places[:, :-1]) % len(self.ids) == 1).all())

    def wrong_targets(self, places: Tensor) -> list[Mistake]:
        """What the usual mistakes make of these windows."""
        n = len(self.ids)
        copy = "The targets equal the inputs. They must be shifted: the model would learn to repeat what it just read."
        twice = "The targets are shifted twice: they are two tokens ahead of the inputs, not one."
        back = "The targets are shifted the wrong way: they are the tokens before the inputs."
        roll = "The last target of each row is the row's first token (as `roll` does it), not the next one in the text."
        return [
            Mistake(f"{AREA}.no-shift", copy, lambda: self.ids[places]),
            Mistake(f"{AREA}.shifted-twice", twice, lambda: self.ids[(places + 2) % n]),
            Mistake(f"{AREA}.shifted-back", back, lambda: self.ids[(places - 1) % n]),
            Mistake(f"{AREA}.rolled", roll, lambda: self.inputs.roll(-1, 1)),
        ]

    def judge_randomness(self) -> None:
        """Raises: CheckFailed unless all chance comes from the generator, anew for each row and each batch."""
        name = named(self.function)
        if len(set(self.starts().tolist())) == 1:
            message = "All rows of the batch start at the same place: draw one start per row."
            raise CheckFailed(f"{AREA}.one-start", message)
        first, again = (self.draw(torch.Generator().manual_seed(self.seed % 2**63))[0] for _ in range(2))
        if not torch.equal(first, again):
            message = f"{name} gives other windows for an equal generator: pass `generator=generator` where you draw."
            raise CheckFailed(f"{AREA}.ignores-generator", message)
        generator = torch.Generator().manual_seed(self.seed % 2**63)
        if torch.equal(self.draw(generator)[0], self.draw(generator)[0]):
            message = f"{name} gives the same windows each time it is called: draw new starts from the generator."
            raise CheckFailed(f"{AREA}.same-windows", message)
