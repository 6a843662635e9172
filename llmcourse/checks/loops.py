"""Checks of the training loop: the right batches, rate and mode at every step, and a loss after each."""

import functools
import random
from collections.abc import Iterator
from itertools import islice
from typing import Any

import torch
from torch import nn

from llmcourse.checks.core import CheckFailed, Function, call, sizes
from llmcourse.checks.core import name_of as named
from llmcourse.checks.steps import plain_step
from llmcourse.checks.tiny import AREA, TinyModel, as_number, padded_batch
from llmcourse.data import Batch


def check_train(train: Function, seed: int = 0) -> None:
    """The loop takes each step's batches and rate, in training mode, with one optimizer, as far as it is asked to."""
    run = Run(train, seed)
    with torch.random.fork_rng(devices=[]):
        run.go()
    run.judge_batches()
    run.judge_rates()
    run.judge_modes()
    run.judge_optimizer()
    run.judge_losses()


class Run:
    """A short run of a student's loop on a tiny model; whatever the loop asks for or hands on is noted."""

    def __init__(self, train: Function, seed: int) -> None:
        draw = random.Random(f"loop {seed}")
        n_vocab = sizes(seed, 1, low=5)[0]
        self.train, self.n_steps, self.slope = train, draw.randint(4, 12), draw.uniform(0.01, 0.02)
        self.model = TinyModel(n_vocab, seed, dropout=0.1)
        self.batches = [[padded_batch(seed + 2 * i + j, n_vocab, [5, 3]) for j in range(2)] for i in range(20)]
        self.updates: list[dict[str, Any]] = []
        self.losses: list[Any] = []
        self.before = [p.detach().clone() for p in self.model.parameters()]

    def batches_of(self, step: int) -> list[Batch]:
        return self.batches[step]

    def schedule(self, step: int) -> float:
        return 0.05 - self.slope / 8 * step  # falls, and no two steps share a rate

    def update(self, model: nn.Module, optimizer: Any, batches: list[Batch]) -> float:
        """The step that the task hands in; it notes what the loop gives to it."""
        groups = getattr(optimizer, "param_groups", None)
        if not groups:
            message = "The update needs an optimizer with `param_groups`, as all of torch.optim's have; "
            raise CheckFailed(f"{AREA}.optimizer", message + f"it was given {type(optimizer).__name__}.")
        loss = plain_step(model, optimizer, batches)
        moved = [weight.detach().clone() for weight in model.parameters()]
        self.updates.append(
            {
                "batches": batches,
                "rates": [float(group["lr"]) for group in groups],
                "training": model.training,
                "optimizer": optimizer,
                "weights": [id(weight) for group in groups for weight in group["params"]],
                "loss": loss,
                "moved": moved,
            }
        )
        return loss

    def go(self) -> None:
        """Runs the loop, and puts the model into eval mode between its steps, as a caller who validates does."""

        @functools.wraps(self.train)
        def stepwise(*inputs: Any) -> None:
            losses = self.train(*inputs)
            self.expect_iterator(losses)
            for n_taken, loss in enumerate(islice(losses, self.n_steps + 5), 1):
                self.losses.append(loss)
                if len(self.updates) > n_taken:
                    message = (
                        f"When the caller takes loss {n_taken}, {len(self.updates)} updates have been made: `yield` "
                        "each loss right after its update, so that the caller can stop or validate in between."
                    )
                    raise CheckFailed(f"{AREA}.not-stepwise", message)
                self.model.eval()

        call(AREA, stepwise, self.model, self.batches_of, self.n_steps, self.schedule, self.update)

    def expect_iterator(self, losses: Any) -> None:
        """Raises: CheckFailed unless losses can be taken one by one."""
        if isinstance(losses, Iterator):
            return
        got = "nothing" if losses is None else f"a {type(losses).__name__}"
        message = f"{named(self.train)} returns {got}: `yield` the loss after each update, which makes it a generator."
        raise CheckFailed(f"{AREA}.not-stepwise", message)

    def judge_batches(self) -> None:
        """Raises: CheckFailed unless each step had its own batches, and there were as many steps as asked for."""
        numbers = [self.number_of(update["batches"]) for update in self.updates]
        n = self.n_steps
        if numbers == list(range(n)):
            return
        shown = ", ".join("?" if number is None else str(number) for number in numbers)
        message = (
            f"The updates should use the batches of steps 0 to {n - 1}; yours use those of steps {shown or 'none'}."
        )
        if len(numbers) > 1 and len(set(numbers)) == 1:
            message += " Every update sees the same batches, so the model learns nothing else."
            raise CheckFailed(f"{AREA}.same-batches", message)
        if len(numbers) != n:
            raise CheckFailed(f"{AREA}.step-count", message)
        raise CheckFailed(f"{AREA}.wrong-batches", message)

    def number_of(self, batches: Any) -> int | None:
        """The step that these batches belong to."""
        for step, own in enumerate(self.batches):
            if list(map(id, batches)) == list(map(id, own)):
                return step
        return None

    def judge_rates(self) -> None:
        """Raises: CheckFailed unless each update had the rate that the schedule gives to its step."""
        wanted = [self.schedule(step) for step in range(-1, self.n_steps + 1)]
        used = [update["rates"] for update in self.updates]

        def follows(shift: int) -> bool:
            pairs = [(rate, wanted[step + 1 + shift]) for step, rates in enumerate(used) for rate in rates]
            return all(abs(rate - right) < 1e-6 for rate, right in pairs[1 if shift < 0 else 0 :])

        if follows(0):
            return
        if len({rate for rates in used for rate in rates}) == 1:
            message = (
                "The learning rate never changes: set `group['lr'] = schedule(step)` for every group of "
                "optimizer.param_groups before each update."
            )
            raise CheckFailed(f"{AREA}.rate-constant", message)
        if follows(-1) or follows(1):
            message = (
                "The rate is one step {}: update number `step`, counted from 0, takes place at rate schedule(step)."
            )
            raise CheckFailed(f"{AREA}.rate-late", message.format("late" if follows(-1) else "early"))
        step = next(i for i, rates in enumerate(used) if any(abs(r - wanted[i + 1]) > 1e-6 for r in rates))
        message = f"At step {step} the schedule says {wanted[step + 1]:.4f}, and the optimizer works at {used[step]}."
        raise CheckFailed(f"{AREA}.rate", message)

    def judge_modes(self) -> None:
        """Raises: CheckFailed unless each update found the model in training mode."""
        modes = [update["training"] for update in self.updates]
        if all(modes):
            return
        message = (
            f"Update {modes.index(False)} finds the model in eval mode: the caller may validate between two steps. "
            "Call model.train() at every step, not once before the loop."
        )
        raise CheckFailed(f"{AREA}.train-mode", message)

    def judge_optimizer(self) -> None:
        """Raises: CheckFailed unless one optimizer, over all parameters, moves the weights."""
        first = self.updates[0]["optimizer"]
        if any(update["optimizer"] is not first for update in self.updates):
            message = "Each step makes a new optimizer, which forgets its running averages: make one before the loop."
            raise CheckFailed(f"{AREA}.optimizer-renewed", message)
        covered, wanted = self.updates[0]["weights"], [id(weight) for weight in self.model.parameters()]
        if sorted(covered) != sorted(wanted):
            message = f"The optimizer holds {len(set(covered) & set(wanted))} of the model's {len(wanted)} parameters."
            raise CheckFailed(f"{AREA}.optimizer-parameters", message)
        trained = [0, 2]  # the middle one takes no part
        if any(torch.equal(self.updates[0]["moved"][i], self.before[i]) for i in trained):
            raise CheckFailed(f"{AREA}.optimizer", "After the first update the weights are where they were before.")

    def judge_losses(self) -> None:
        """Raises: CheckFailed unless the loop yields what the updates return."""
        losses = [as_number(named(self.train), loss, "a loss each time") for loss in self.losses]
        wanted = [update["loss"] for update in self.updates]
        if losses == wanted:
            return
        if len(losses) != len(wanted):
            message = f"{len(wanted)} updates were made and {len(losses)} losses came out: yield one after each update."
            raise CheckFailed(f"{AREA}.losses", message)
        raise CheckFailed(f"{AREA}.losses", "The losses that come out are not those that `update` returns.")
