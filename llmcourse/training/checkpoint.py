"""A training run on disk: everything that is needed to go on as if nothing had happened."""

import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from llmcourse.data import atomic_path
from llmcourse.training.config import TrainConfig
from llmcourse.training.distributed import split_like

FORMAT = "llmcourse training checkpoint, version 1"


@dataclass(frozen=True)
class Checkpoint:
    """The state of a run after `step` updates."""

    step: int
    tokens: int  # targets trained on so far
    config: TrainConfig
    model: Mapping[str, Any]
    optimizer: Mapping[str, Any]
    random_state: Mapping[str, Any]  # the generators that dropout draws from
    extra: Mapping[str, Any]  # the caller's own notes, plain values only


def save_checkpoint(
    path: str | Path,
    *,
    step: int,
    tokens: int,
    config: TrainConfig,
    model: Mapping[str, Any],
    optimizer: Mapping[str, Any],
    random_state: Mapping[str, Any],
    extra: Mapping[str, Any] | None = None,
) -> None:
    """Writes the state of a run whole or not at all: a crash midway leaves the file that was there before."""
    state = {
        "format": FORMAT,
        "step": step,
        "tokens": tokens,
        "config": config.to_dict(),
        "model": dict(model),
        "optimizer": dict(optimizer),
        "random_state": dict(random_state),
        "extra": dict(extra or {}),
    }
    with atomic_path(path) as scratch:
        torch.save(state, scratch)


def drop_half_written(path: str | Path) -> None:
    """Removes what processes that were killed amid `save_checkpoint` left beside `path`."""
    path = Path(path)
    scratch = re.compile(rf"\.{re.escape(path.name)}\.\d+\.tmp")  # as `atomic_path` names it
    for file in path.parent.glob(".*.tmp"):
        if scratch.fullmatch(file.name):
            file.unlink(missing_ok=True)


def load_checkpoint(path: str | Path) -> Checkpoint:
    """The run that was saved at `path`; only plain values and tensors are read, so a foreign file can run no code.

    Raises: ValueError with one line for a file that is missing, damaged or no checkpoint of ours.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"There is no checkpoint {path}; check its name, or start a new run.")
    try:
        with zipfile.ZipFile(path) as archive:  # torch.load compares no checksums by itself
            whole = archive.testzip() is None
        state = torch.load(path, map_location="cpu", weights_only=True) if whole else None
    except Exception:  # a damaged file can fail in many ways, and all mean the same to the reader
        whole = False
    if not whole:
        raise ValueError(f"{path} is damaged, or no training checkpoint; use another one, or start a new run.")
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise ValueError(f"{path} is not a training checkpoint of this course; use one that `llmcourse train` wrote.")
    fields = {name: state[name] for name in ("step", "tokens", "model", "optimizer", "random_state", "extra")}
    return Checkpoint(config=TrainConfig.from_dict(state["config"]), **fields)


def restore_model(model: nn.Module, checkpoint: Checkpoint, path: str | Path) -> None:
    """Puts a checkpoint's weights into `model`. Raises: ValueError with one line where they do not fit."""
    ours = {name: tuple(weight.shape) for name, weight in model.state_dict().items()}
    theirs = {name: tuple(weight.shape) for name, weight in checkpoint.model.items()}
    for name in [*ours, *theirs]:
        if ours.get(name) != theirs.get(name):
            raise ValueError(
                f"{path} holds another model: {name} has shape {theirs.get(name)} there and {ours.get(name)} here."
            )
    ours_now = model.state_dict()
    model.load_state_dict({name: split_like(weight, ours_now[name]) for name, weight in checkpoint.model.items()})


def load_optimizer(optimizer: torch.optim.Optimizer, checkpoint: Checkpoint) -> None:
    """Puts a checkpoint's averages into `optimizer`, each process its part where the model is sharded."""
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    saved = {
        place: {
            name: split_like(value, weights[place]) if isinstance(value, Tensor) else value
            for name, value in of.items()
        }
        for place, of in checkpoint.optimizer["state"].items()
    }
    optimizer.load_state_dict({**checkpoint.optimizer, "state": saved})
