"""Training: predict, compare, nudge the weights, and do it again; one record per step."""

import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, TextIO, runtime_checkable

from torch import nn
from tqdm import tqdm

from llmcourse.data import Batch
from llmcourse.training.checkpoint import load_checkpoint, restore_model, save_checkpoint
from llmcourse.training.config import TrainConfig
from llmcourse.training.interrupt import whole_step
from llmcourse.training.loss import Objective, next_token_nats
from llmcourse.training.optim import clip_gradients, make_optimizer
from llmcourse.training.randomness import RandomStream
from llmcourse.training.schedule import learning_rate

# what a resumed run may change without making its saved state meaningless
MAY_CHANGE = {"steps", "lr", "final_lr", "warmup", "schedule", "cooldown", "clip", "checkpoint_every"}


@runtime_checkable
class Batches(Protocol):
    """Anything that knows the batch of each step; it must always give the same one for the same step."""

    def batch(self, step: int) -> Batch: ...


class NonFiniteLoss(ValueError):
    """The loss or its gradient became infinite or undefined; the message names the step."""


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
) -> Iterator[StepRecord]:
    """Trains `model` in place, one step for each record that the caller takes.

    With `checkpoint_path` the run is saved every `checkpoint_every` steps, at its end, and when it is left early or
    interrupted; `resume_from` goes on from there, bit for bit. `metrics_path` appends each record as a line of JSON.
    Raises: NonFiniteLoss; ValueError for a checkpoint that does not fit.
    """
    run = _Run(model, batches, config, objective, checkpoint_path, extra or {})
    if resume_from is not None:
        run.resume(resume_from)
    metrics = None if metrics_path is None else open_metrics(metrics_path, run.step)
    bar = tqdm(total=config.steps, initial=run.step, disable=not progress, unit="step", desc="training")
    try:
        while run.step < config.steps:
            with whole_step():
                record = run.advance()
                if metrics is not None:
                    metrics.write(json.dumps(asdict(record)) + "\n")
            bar.update()
            bar.set_postfix(loss=f"{record.loss:.3f}", refresh=False)
            if run.step % config.checkpoint_every == 0 or run.step == config.steps:
                run.save()
            yield record
    except (KeyboardInterrupt, GeneratorExit):
        run.save()
        raise
    finally:
        bar.close()
        if metrics is not None:
            metrics.close()


def accumulate_gradients(model: nn.Module, parts: Sequence[Batch], objective: Objective) -> tuple[float, int]:
    """The mean surprise over all targets of all parts, and their number; its gradients are left on the parameters.

    Each target weighs the same, whichever part it is in: a mean of the parts' means would favour short parts.
    """
    device = next(model.parameters()).device
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
    ) -> None:
        self.model, self.batches, self.config, self.objective = model, batches, config, objective
        self.checkpoint_path = None if checkpoint_path is None else Path(checkpoint_path)
        self.extra = extra
        self.optimizer = make_optimizer(model, config)
        self.random = RandomStream(config.seed, next(model.parameters()).device)
        self.step = 0
        self.tokens = 0
        self.saved_step: int | None = None

    def advance(self) -> StepRecord:
        """Makes one update."""
        started = time.perf_counter()
        config = self.config
        parts = [self.batches.batch(self.step * config.accumulate + i) for i in range(config.accumulate)]
        lr = learning_rate(self.step, config)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        self.model.train()
        self.optimizer.zero_grad(set_to_none=True)
        with self.random.active():
            loss, n_targets = accumulate_gradients(self.model, parts, self.objective)
        grad_norm = clip_gradients(self.model.parameters(), config.clip)
        if not (math.isfinite(loss) and math.isfinite(grad_norm)):
            raise NonFiniteLoss(self._describe_failure(loss, grad_norm))
        self.optimizer.step()
        self.step += 1
        self.tokens += n_targets
        return StepRecord(self.step, loss, lr, grad_norm, self.tokens, time.perf_counter() - started)

    def save(self) -> None:
        """Writes a checkpoint, where a path was given and this step is not there already."""
        if self.checkpoint_path is None or self.saved_step == self.step:
            return
        save_checkpoint(
            self.checkpoint_path,
            step=self.step,
            tokens=self.tokens,
            config=self.config,
            model=self.model,
            optimizer=self.optimizer,
            random_state=self.random.state,
            extra=self.extra,
        )
        self.saved_step = self.step

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
        self.optimizer.load_state_dict(dict(checkpoint.optimizer))
        self.random.state = checkpoint.random_state
        self.step, self.tokens = checkpoint.step, checkpoint.tokens
        if self.checkpoint_path is not None and self.checkpoint_path.resolve() == Path(path).resolve():
            self.saved_step = self.step

    def _describe_failure(self, loss: float, grad_norm: float) -> str:
        what = f"The loss is {loss}" if not math.isfinite(loss) else f"The gradient's length is {grad_norm}"
        kept = "no checkpoint was written"
        if self.checkpoint_path is not None and self.saved_step is not None:
            kept = f"{self.checkpoint_path} keeps the run as it was after step {self.saved_step}"
        return f"{what} at step {self.step + 1}, so training stopped before its update; {kept}. Try a lower lr."


def open_metrics(path: str | Path, step: int) -> TextIO:
    """A file of records to append to; what an interrupted run wrote after `step` is dropped, as it is done again."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if step and path.exists() else []
    path.write_text("".join(lines[:step]), encoding="utf-8")
    return path.open("a", encoding="utf-8", buffering=1)
