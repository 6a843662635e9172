"""Where and how the arithmetic of a step runs: on which device, in which precision, as written or compiled."""

import functools
import os
import shutil

import torch
from torch import Tensor, nn

from llmcourse.data import Batch
from llmcourse.training.config import TrainConfig
from llmcourse.training.loss import Objective

COMPILERS = ("c++", "g++", "clang++", "cl")


def choose_device(name: str | torch.device) -> torch.device:
    """The device of that name, once a number has been there and back. Raises: ValueError with one line."""
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError) as error:
        reason = str(error).split("\n")[0].rstrip(".")
        raise ValueError(f"device={str(name)!r} cannot be used here, only {', '.join(devices())}: {reason}.") from None
    return device


def devices() -> list[str]:
    """The kinds of devices that this machine has."""
    found = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    return [name for name, is_here in found.items() if is_here]


def prepared(objective: Objective, config: TrainConfig, device: torch.device) -> Objective:
    """The objective as the recipe wants it run. Raises: ValueError where it is to be compiled without a compiler."""
    if config.compile:
        if not has_compiler():
            raise ValueError(
                f"compile=True needs a C++ compiler, but there is none of {', '.join(COMPILERS)}: "
                "install one, or leave compile out."
            )
        objective = torch.compile(objective)
    if config.precision == "float32":
        return objective
    return functools.partial(_in_bf16, objective, device.type)


def has_compiler() -> bool:
    """Whether generated C++ can be compiled here."""
    return any(shutil.which(name) for name in (os.environ.get("CXX", ""), *COMPILERS) if name)


def _in_bf16(objective: Objective, device_type: str, model: nn.Module, batch: Batch) -> Tensor:
    with torch.autocast(device_type, torch.bfloat16):
        return objective(model, batch)
