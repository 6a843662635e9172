"""Training: predict, compare, nudge the weights, and do it again; one record per step."""

import json
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, TextIO, runtime_checkable

import torch
from torch import nn
from tqdm import tqdm

from llmcourse.data import Batch
from llmcourse.training.checkpoint import (
    drop_half_written,
    load_checkpoint,
    load_optimizer,
    restore_model,
    save_checkpoint,
)
from llmcourse.training.config import TrainConfig
from llmcourse.training.distributed import ALONE, LostProcess, Team, answering, shard, whole
from llmcourse.training.interrupt import whole_step
from llmcourse.training.loss import Objective, next_token_nats
from llmcourse.training.machine import choose_device, prepared
from llmcourse.training.optim import clip_gradients, make_optimizer
from llmcourse.training.randomness import RandomStream
from llmcourse.training.schedule import learning_rate

# what a resumed run may change without making its saved state meaningless
MAY_CHANGE = {
    *("steps", "lr", "final_lr", "warmup", "schedule", "cooldown", "clip", "checkpoint_every", "precision", "compile")
}


@runtime_checkable
class Batches(Protocol):
    """Anything that knows the batch of each step; it must always give the same one for the same step."""

    def batch(self, step: int) -> Batch: ...


class NonFiniteLoss(ValueError):
    """The loss or its gradient became infinite or undefined; the message names the step."""


class NotSaved(ValueError):
    """A checkpoint or a record could not be written; the message says which good checkpoint is kept."""


@dataclass(frozen=True)
class StepRecord:
    """What one step saw and did."""

    step: int  # updates made so far, this one included
    loss: float  # nats per token, before the update
    lr: float
    grad_norm: float  # before clipping
    tokens: int  # targets trained on so far
    seconds: float  # that this step took


def train(
    model: nn.Module,
    batches: Batches,
    config: TrainConfig,
    *,
    objective: Objective = next_token_nats,
    resume_from: str | Path | None = None,
    checkpoint_path: str | Path | None = None,
    metrics_path: str | Path | None = None,
    extra: dict[str, Any] | None = None,
    progress: bool = True,
    device: str | torch.device | None = None,
    team: Team = ALONE,
) -> Iterator[StepRecord]:
    """Trains `model` in place, one step for each record that the caller takes.

    With `checkpoint_path` the run is saved every `checkpoint_every` steps, at its end, and when it is left early or
    interrupted; `resume_from` goes on from there, bit for bit. `metrics_path` appends each record as a line of JSON.
    The model is moved to `device` first. Of a `team` every process gives the same model, batches and recipe; each
    trains on its share of every batch, and the first alone writes.
    Raises: NonFiniteLoss; NotSaved; LostProcess; ValueError for a device that is not there or a checkpoint that does
    not fit.
    """
    if device is not None:
        model.to(choose_device(device))
    run = _Run(model, batches, config, objective, checkpoint_path, extra or {}, team)
    if resume_from is not None:
        run.resume(resume_from)
    metrics = open_metrics(metrics_path, run.step) if metrics_path is not None and team.is_first else None
    bar = tqdm(total=config.steps, initial=run.step, disable=not progress, unit="step", desc="training")
    try:
        while run.step < config.steps:
            with whole_step():
                record = run.advance()
                run.write(metrics, record)
            bar.update()
            bar.set_postfix(loss=f"{record.loss:.3f}", refresh=False)
            if run.step % config.checkpoint_every == 0 or run.step == config.steps:
                run.save()
            yield record
    except (KeyboardInterrupt, GeneratorExit):
        if not team.sharded:  # the weights of all processes make a checkpoint, and the others are elsewhere by now
            run.save()
        raise
    finally:
        bar.close()
        if metrics is not None:
            with suppress(OSError):  # a full disk has been complained of already
                metrics.close()


def accumulate_gradients(
    model: nn.Module, parts: Sequence[Batch], objective: Objective, n_targets: int | None = None
) -> tuple[float, int]:
    """The mean surprise over all targets of all parts, and their number; its gradients are left on the parameters.

    Each target weighs the same, whichever part it is in: a mean of the parts' means would favour short parts.
    `n_targets` divides in place of the parts' own number, where other processes hold other parts.
    """
    device = next(model.parameters()).device
    if n_targets is None:
        n_targets = sum(part.n_targets for part in parts)
    if not n_targets:
        raise ValueError("This step's batches hold no target to predict.")
    total = 0.0
    for part in parts:
        loss = objective(model, part.to(device)).sum() / n_targets
        loss.backward()
        total += float(loss.detach())
    return total, n_targets


class _Run:
    """The state of a run between two steps."""

    def __init__(
        self,
        model: nn.Module,
        batches: Batches,
        config: TrainConfig,
        objective: Objective,
        checkpoint_path: str | Path | None,
        extra: dict[str, Any],
        team: Team,
    ) -> None:
        device = next(model.parameters()).device
        self.model, self.batches, self.config, self.team = model, batches, config, team
        self.objective = prepared(objective, config, device)
        self.checkpoint_path = None if checkpoint_path is None else Path(checkpoint_path)
        self.extra = extra
        team.align(model)
        if team.sharded:
            shard(model)
        self.optimizer = make_optimizer(model, config)
        self.random = RandomStream(config.seed, device)
        self.step = 0
        self.tokens = 0
        self.saved_step: int | None = None

    def advance(self) -> StepRecord:
        """Makes one update."""
        started = time.perf_counter()
        config = self.config
        parts = [self.batches.batch(self.step * config.accumulate + i) for i in range(config.accumulate)]
        n_targets = sum(part.n_targets for part in parts)
        lr = learning_rate(self.step, config)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        self.model.train()
        self.optimizer.zero_grad(set_to_none=True)
        try:
            loss = self._gather_gradients(parts, n_targets)
        except LostProcess as error:
            raise LostProcess(f"{error}, so training stopped at step {self.step + 1}; {self._kept()}.") from None
        grad_norm = clip_gradients(self.model.parameters(), config.clip)
        if not (math.isfinite(loss) and math.isfinite(grad_norm)):
            what = f"The loss is {loss}" if not math.isfinite(loss) else f"The gradient's length is {grad_norm}"
            where = f"at step {self.step + 1}, so training stopped before its update"
            raise NonFiniteLoss(f"{what} {where}; {self._kept()}. Try a lower lr.")
        self.optimizer.step()
        self.step += 1
        self.tokens += n_targets
        return StepRecord(self.step, loss, lr, grad_norm, self.tokens, time.perf_counter() - started)

    def _gather_gradients(self, parts: Sequence[Batch], n_targets: int) -> float:
        """Leaves the gradients of the whole step on the parameters, whoever worked them out; the loss comes back."""
        mine = [self.team.share(part) for part in parts]
        if not self.team.is_first:
            self.random = RandomStream(self.team.seed(self.config.seed, self.step), self.random.device)
        with self.random.active(), answering(self.team):
            loss, _ = accumulate_gradients(self.model, mine, self.objective, n_targets)
        return self.team.sum_gradients([weight for weight in self.model.parameters() if weight.requires_grad], loss)

    def save(self) -> None:
        """Writes a checkpoint, where a path was given and this step is not there already."""
        if self.checkpoint_path is None or self.saved_step == self.step:
            return
        model, optimizer = self.model.state_dict(), self.optimizer.state_dict()
        if self.team.sharded:
            model, optimizer = whole(model), whole(optimizer)
        if self.team.is_first:
            try:
                save_checkpoint(
                    self.checkpoint_path,
                    step=self.step,
                    tokens=self.tokens,
                    config=self.config,
                    model=model,
                    optimizer=optimizer,
                    random_state=self.random.state,
                    extra=self.extra,
                )
            except (OSError, RuntimeError) as error:  # torch reports a full disk as a RuntimeError
                raise self._not_saved(f"The checkpoint of step {self.step}", error) from error
        self.saved_step = self.step

    def write(self, metrics: TextIO | None, record: StepRecord) -> None:
        """Appends a record to the metrics, where there are any."""
        if metrics is None:
            return
        try:
            metrics.write(json.dumps(asdict(record)) + "\n")
        except OSError as error:
            raise self._not_saved(f"The record of step {self.step}", error) from error

    def _not_saved(self, what: str, error: OSError | RuntimeError) -> NotSaved:
        reason = error.strerror if isinstance(error, OSError) else str(error).split("\n")[0].rstrip(".")
        return NotSaved(f"{what} could not be written ({reason}): is the disk full? Training stopped; {self._kept()}.")

    def _kept(self) -> str:
        if self.checkpoint_path is None or self.saved_step is None:
            return "no checkpoint was written"
        return f"{self.checkpoint_path} keeps the run as it was after step {self.saved_step}"

    def resume(self, path: str | Path) -> None:
        """Takes up the run that was saved at `path`."""
        checkpoint = load_checkpoint(path)
        ours, theirs = self.config.to_dict(), checkpoint.config.to_dict()
        changed = [name for name in ours if ours[name] != theirs[name] and name not in MAY_CHANGE]
        if changed:
            name = changed[0]
            raise ValueError(
                f"{path} was trained with {name}={theirs[name]!r}, not {ours[name]!r}; resume it with that."
            )
        restore_model(self.model, checkpoint, path)
        load_optimizer(self.optimizer, checkpoint)
        self.random.state = checkpoint.random_state
        self.step, self.tokens = checkpoint.step, checkpoint.tokens
        if self.checkpoint_path is not None and self.checkpoint_path.resolve() == Path(path).resolve():
            self.saved_step = self.step
        if self.checkpoint_path is not None and self.team.is_first:
            drop_half_written(self.checkpoint_path)


def open_metrics(path: str | Path, step: int) -> TextIO:
    """A file of records to append to; what an interrupted run wrote after `step` is dropped, as it is done again."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if step and path.exists() else []
    path.write_text("".join(lines[:step]), encoding="utf-8")
    return path.open("a", encoding="utf-8", buffering=1)
