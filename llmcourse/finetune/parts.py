"""What tuning learned beside a frozen model, in a file of its own: a few tensors, and what they belong to."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from llmcourse.data import atomic_path

REMEDY = "Save the tuned part again."


def save_part(path: str | Path, tensors: Mapping[str, Tensor], kind: str, settings: Mapping[str, Any]) -> None:
    """Writes the tensors with their kind and settings as one safetensors file, whole or not at all."""
    metadata = {"llmcourse": kind, "settings": json.dumps(settings)}
    with atomic_path(path) as scratch:
        save_file({name: each.detach().cpu().contiguous() for name, each in tensors.items()}, scratch, metadata)


def load_part(path: str | Path, kind: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and the settings that `save_part` wrote.

    Raises: ValueError that names the file, where it is missing, damaged or of another kind.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"There is no file {path}. {REMEDY}")
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name).to(torch.float32) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise ValueError(f"{path} is damaged or cut short: {error}. {REMEDY}") from None
    if metadata.get("llmcourse") != kind:
        raise ValueError(f"{path} does not hold a {kind}, but {metadata.get('llmcourse', 'other weights')}.")
    return tensors, json.loads(metadata["settings"])


def fingerprint(weight: Tensor) -> float:
    """A number that tells matrices apart: the sum of their entries."""
    return float(weight.detach().double().sum())


def is_alike(weight: Tensor, expected: float) -> bool:
    """Whether the matrix has about this fingerprint: rounding moves it little, another matrix or a merge much."""
    return abs(fingerprint(weight) - expected) <= 1e-2 * float(weight.detach().double().norm())
