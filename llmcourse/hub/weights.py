"""Weights in safetensors files: one file, or several with an index that says which tensor lies where."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from llmcourse.data import atomic_path
from llmcourse.hub.files import WEIGHTS, read_json, write_json

INDEX = f"{WEIGHTS}.index.json"
SHARD = re.compile(r"model-\d{5}-of-\d{5}\.safetensors")
REMEDY = "Fetch or save the folder again."


def read_weights(folder: Path) -> dict[str, Tensor]:
    """All tensors in a folder's files, in 32 bits.

    Raises: ValueError that names the file that is missing or damaged, or the tensor that is not where the index says.
    """
    if not (folder / INDEX).is_file():
        return _read_file(folder / WEIGHTS)
    places: defaultdict[str, set[str]] = defaultdict(set)
    for name, file in _index(folder / INDEX).items():
        places[file].add(name)
    weights: dict[str, Tensor] = {}
    for file, names in places.items():
        tensors = _read_file(folder / file)
        missing = sorted(names - tensors.keys())
        if missing:
            raise ValueError(f"{folder / file} lacks {missing[0]!r}, which {INDEX} says it holds. {REMEDY}")
        weights |= {name: tensors[name] for name in names}
    return weights


def shard_names(index: Path) -> list[str]:
    """The files that an index names. Raises: ValueError where it names anything but files beside it."""
    return sorted(set(_index(index).values()))


def write_weights(folder: Path, weights: Mapping[str, Tensor], max_shard_bytes: int) -> None:
    """Writes one file, or several with an index where one would be larger than `max_shard_bytes`."""
    shards = _shards(weights, max_shard_bytes)
    files = [WEIGHTS]
    if len(shards) > 1:
        files = [f"model-{i:05}-of-{len(shards):05}.safetensors" for i in range(1, len(shards) + 1)]
    for file, shard in zip(files, shards, strict=True):
        with atomic_path(folder / file) as scratch:
            save_file(shard, scratch, metadata={"format": "pt"})
    if len(shards) > 1:
        weight_map = {name: file for file, shard in zip(files, shards, strict=True) for name in shard}
        total = sum(weight.nbytes for weight in weights.values())
        write_json(folder / INDEX, {"metadata": {"total_size": total}, "weight_map": weight_map})
    for old in folder.glob("model*.safetensors*"):  # what an earlier save left would be read in place of this one
        is_ours = old.name in (WEIGHTS, INDEX) or SHARD.fullmatch(old.name)
        if is_ours and old.name not in (*files, INDEX if len(shards) > 1 else WEIGHTS):
            old.unlink()


def _shards(weights: Mapping[str, Tensor], max_bytes: int) -> list[dict[str, Tensor]]:
    shards: list[dict[str, Tensor]] = [{}]
    room = max_bytes
    for name, weight in weights.items():
        if shards[-1] and weight.nbytes > room:
            shards.append({})
            room = max_bytes
        shards[-1][name] = weight
        room -= weight.nbytes
    return shards


def _read_file(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        pickled = any(path.parent.glob("*.bin"))
        hint = "Weights in .bin files are not read: loading them can run code." if pickled else REMEDY
        raise ValueError(f"There is no file {path}. {hint}")
    try:
        with safe_open(path, "pt") as file:
            return {name: _in_32_bits(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    except (SafetensorError, OSError, ValueError) as error:
        raise ValueError(f"{path} is damaged or cut short: {error}. {REMEDY}") from None


def _in_32_bits(tensor: Tensor) -> Tensor:
    return tensor.to(torch.float32) if tensor.is_floating_point() else tensor


def _index(path: Path) -> dict[str, str]:
    weight_map = read_json(path, REMEDY).get("weight_map")
    if not isinstance(weight_map, dict) or not _are_file_names(weight_map.values()):
        raise ValueError(f"{path} is damaged: weight_map must give each tensor the name of a file beside it. {REMEDY}")
    return weight_map


def _are_file_names(names: Iterable[object]) -> bool:
    return all(isinstance(name, str) and re.fullmatch(r"[\w.-]+\.safetensors", name) for name in names)
