"""Checks of one training step: gradients of several batches make one update, each token weighing the same."""

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from llmcourse.checks.core import CheckFailed, Function, Mistake, call, close, judge, name_the_mistake, normal, sizes
from llmcourse.checks.core import name_of as named
from llmcourse.checks.tiny import AREA, TinyModel, as_number, mean_nats, uneven_batches
from llmcourse.data import Batch

LR = 0.5


def check_step(training_step: Function, seed: int = 0) -> None:
    """The weights move by the clipped mean gradient of all real tokens, and by nothing else."""
    for share in (4.0, 0.3):
        case = Step(seed, share)
        value = call(AREA, training_step, case.model, case.optimizer, case.batches, case.max_norm, mean_nats, case.clip)
        case.judge_weights(named(training_step))
        case.judge_value(named(training_step), value)


class Step:
    """A model with gradients left over from before, batches for one step, and what may become of the weights.

    Plain gradient descent shows a wrong gradient that Adam would hide. `share` of the gradient's length is allowed.
    """

    def __init__(self, seed: int, share: float) -> None:
        n_vocab = sizes(seed, 1, low=5)[0]
        self.model = TinyModel(n_vocab, seed)
        self.batches = uneven_batches(seed + 20, n_vocab)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=LR)
        self.weights = [self.model.embedding, self.model.logits]
        self.stale = 0.3 * normal(seed + 5, self.flat(self.weights).numel())
        for weight, part in zip(self.weights, self.stale.split([w.numel() for w in self.weights]), strict=True):
            weight.grad = part.view_as(weight).clone()
        self.before = self.flat(self.weights)
        self.tokens = torch.tensor([batch.n_targets for batch in self.batches]).double()
        self.losses, self.gradients = self.parts()
        self.mean = (self.gradients * self.tokens[:, None]).sum(0) / self.tokens.sum()
        self.max_norm, self.clipping = share * float(self.mean.norm()), share < 1
        self.clipped = 0

    @staticmethod
    def flat(tensors: Iterable[Tensor]) -> Tensor:
        """All numbers in a row."""
        return torch.cat([tensor.detach().double().flatten() for tensor in tensors])

    def parts(self) -> tuple[Tensor, Tensor]:
        """Mean loss of each batch, and its gradient."""
        losses, rows = [], []
        for batch in self.batches:
            loss = mean_nats(self.model(batch.inputs), batch.targets)
            rows.append(self.flat(torch.autograd.grad(loss, self.weights)))
            losses.append(loss.detach().double())
        self.model.seen.clear()
        return torch.stack(losses), torch.stack(rows)

    def clip(self, parameters: Iterable[nn.Parameter], max_norm: float) -> float:
        """What the task hands in for clipping; it notes that it was called."""
        self.clipped += 1
        return float(nn.utils.clip_grad_norm_(parameters, max_norm))

    def shortened(self, gradient: Tensor) -> Tensor:
        """The gradient after clipping."""
        return gradient * min(1.0, self.max_norm / float(gradient.norm()))

    def judge_weights(self, name: str) -> None:
        """Raises: CheckFailed unless the weights moved as they should."""
        moved = (self.before - self.flat(self.weights)) / LR  # the gradient that the optimizer used
        expected = self.shortened(self.mean)
        if close(moved, expected):
            return
        if self.clipping and close(moved, self.mean):
            self.blame_clipping()
        name_the_mistake(moved, self.wrong_moves())
        if close(moved, torch.zeros_like(moved)):
            message = "The weights do not move: a step is backward() for every batch, and then optimizer.step() once."
            if any(weight.grad is not None and weight.grad.any() for weight in self.weights):
                message = (
                    "The weights do not move although there are gradients in the end: "
                    "optimizer.step() must come after backward()."
                )
                raise CheckFailed(f"{AREA}.step-before-backward", message)
            raise CheckFailed(f"{AREA}.no-step", message)
        judge(AREA, f"{name} (the gradient that moved the weights)", moved, expected, "numbers")

    def blame_clipping(self) -> None:
        """Raises: CheckFailed saying why the gradient that moved the weights was not clipped."""
        left = [weight.grad for weight in self.weights if weight.grad is not None]
        if self.clipped or (left and math.isclose(float(self.flat(left).norm()), self.max_norm, rel_tol=1e-3)):
            message = (
                "The gradient is clipped too late: the weights have moved by its full length already. "
                "Clip after the last backward() and before optimizer.step()."
            )
            raise CheckFailed(f"{AREA}.clip-after-step", message)
        message = (
            "The gradient is longer than max_norm and moves the weights by its full length: clip it before the step."
        )
        raise CheckFailed(f"{AREA}.no-clip", message)

    def wrong_moves(self) -> list[Mistake]:
        """What the usual mistakes make of these batches."""
        mean, grads, n = self.mean, self.gradients, self.tokens
        cells = torch.tensor([batch.targets.numel() for batch in self.batches]).double()
        even = (
            "Each batch weighs the same, whatever its number of tokens: this is a mean of means. "
            "Weigh each batch's loss by its share of the step's real targets."
        )
        undivided = "The gradients of the batches are added up and never divided: the step is as many times too long."
        stale = (
            "Gradients from before are still in the sum: backward() adds to `grad`. Call optimizer.zero_grad() first."
        )
        early = "The weights move by the gradients of the step before: optimizer.step() must come after backward()."
        lost = "Only the last batch counts: zero_grad() belongs before the first backward(), not between the batches."
        cut = "The gradient is clipped after each batch: clip once, when all batches are in."
        padded = "Each batch is weighed by its size, padding included: count the real targets (`batch.n_targets`)."
        twice = "The gradient is divided twice: the shares of the batches add up to 1 already."
        rows: list[tuple[str, str, Tensor]] = [
            ("mean-of-means", even, grads.mean(0)),
            ("not-divided", undivided, grads.sum(0)),
            ("not-divided", undivided, (grads * n[:, None]).sum(0)),
            ("no-zero-grad", stale, mean + self.stale),
            ("step-before-backward", early, self.stale.double()),
            ("zero-grad-between", lost, grads[-1] * n[-1] / n.sum()),
            ("zero-grad-between", lost, grads[-1]),
            ("zero-grad-between", lost, grads[-1] / len(grads)),
            ("padding-counted", padded, (grads * (cells / cells.sum())[:, None]).sum(0)),
            ("divided-twice", twice, mean / len(grads)),
            ("uphill", "The weights move uphill: the loss must fall along the gradient's opposite.", -mean),
            ("clip-each-batch", cut, self.clipped_each()),
        ]
        mistakes = [(code, message, self.shortened(move)) for code, message, move in rows]
        return [
            Mistake(f"{AREA}.{code}", message, lambda move=move: move)  # type: ignore[misc]
            for code, message, move in [*mistakes, *rows]
        ] + [Mistake(f"{AREA}.step-each-batch", self.many_steps(), self.stepped_each)]

    @staticmethod
    def many_steps() -> str:
        return "The weights move once per batch: collect the gradients of all batches, and call optimizer.step() once."

    def clipped_each(self) -> Tensor:
        """The sum where each batch's gradient is added and then all is clipped."""
        total = torch.zeros_like(self.mean)
        for gradient, n in zip(self.gradients, self.tokens, strict=True):
            total = self.shortened(total + gradient * n / self.tokens.sum())
        return total

    def stepped_each(self) -> Tensor:
        """How far the weights go where each batch makes a step of its own, with its share of the gradient."""
        model = TinyModel(len(self.model.embedding), 0)
        with torch.no_grad():
            for weight, start in zip((model.embedding, model.logits), self.split(self.before), strict=True):
                weight.copy_(start.view_as(weight))
        for batch, n in zip(self.batches, self.tokens, strict=True):
            loss = mean_nats(model(batch.inputs), batch.targets) * float(n / self.tokens.sum())
            gradient = self.flat(torch.autograd.grad(loss, [model.embedding, model.logits]))
            with torch.no_grad():
                for weight, part in zip(
                    (model.embedding, model.logits), self.split(self.shortened(gradient)), strict=True
                ):
                    weight.sub_(LR * part.view_as(weight))
        return (self.before - self.flat([model.embedding, model.logits])) / LR

    def split(self, numbers: Tensor) -> tuple[Tensor, ...]:
        """One row of numbers per weight."""
        return numbers.split([weight.numel() for weight in self.weights])

    def judge_value(self, name: str, value: Any) -> None:
        """Raises: CheckFailed unless the value is the mean loss before the update, free of its graph."""
        number = as_number(name, value, "the mean loss over all real tokens")
        if isinstance(value, Tensor) and value.requires_grad:
            message = f"{name} returns a tensor that keeps its whole graph in memory: return `.item()` or `.detach()`."
            raise CheckFailed(f"{AREA}.returns-graph", message)
        expected = (self.losses @ self.tokens) / self.tokens.sum()
        if math.isclose(number, float(expected), rel_tol=1e-4):
            return
        message = (
            f"{name} moves the weights rightly, but returns {{}}: return the mean over all real tokens of the step."
        )
        values = [
            ("the last batch's loss", self.losses[-1]),
            ("the last batch's share of the loss", self.losses[-1] * self.tokens[-1] / self.tokens.sum()),
            ("a mean of the batches' means", self.losses.mean()),
            ("a sum of the batches' means", self.losses.sum()),
        ]
        name_the_mistake(
            torch.tensor(number),
            [Mistake(f"{AREA}.step-loss", message.format(what), lambda v=v: v) for what, v in values],  # type: ignore[misc]
        )
        raise CheckFailed(f"{AREA}.step-loss", message.format(f"{number:.4f} in place of {float(expected):.4f}"))


def plain_step(model: nn.Module, optimizer: Any, batches: list[Batch]) -> float:
    """The step that checks of the loop hand in: no clipping, each real token alike."""
    optimizer.zero_grad()
    n_targets = sum(batch.n_targets for batch in batches)
    total = 0.0
    for batch in batches:
        loss = mean_nats(model(batch.inputs), batch.targets) * (batch.n_targets / n_targets)
        loss.backward()
        total += float(loss.detach())
    optimizer.step()
    return total
