"""A trained model in a folder: its configuration, weights and tokenizer, and where they come from."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import nn

from llmcourse.hub.config_file import config_from_dict, config_to_dict
from llmcourse.hub.files import CONFIG, MANIFEST, TOKENIZER, WEIGHTS, read, read_json, write, write_json
from llmcourse.model import Transformer
from llmcourse.model.attention import Attend
from llmcourse.tokenizers import ByteBPE

BUNDLED = Path(__file__).parent / "bundled"


@dataclass(frozen=True)
class Bundle:
    """A trained model, the tokenizer that it was trained with, and how both were made."""

    model: Transformer
    tokenizer: ByteBPE
    manifest: Mapping[str, Any]


def bundled(name: str = "microworld-small", attend: Attend | None = None) -> Bundle:
    """The model of that name that comes with the course, in evaluation mode.

    Raises: ValueError that lists the names, or says which file is missing or damaged.
    """
    known = sorted(folder.parent.name for folder in BUNDLED.glob(f"*/{CONFIG}"))
    if name not in known:
        raise ValueError(f"No model {name!r} comes with the course; known are: {', '.join(known) or 'none'}.")
    return load_bundle(BUNDLED / name, attend)


def save_bundle(folder: str | Path, model: Transformer, tokenizer: ByteBPE, manifest: Mapping[str, Any]) -> Path:
    """Writes a model's four files, each whole or not at all, and gives back the folder.

    Weights are kept in 16 bits. The manifest gets their checksum, and is written last.
    """
    folder = Path(folder)
    weights = save({name: weight.detach().cpu().half().contiguous() for name, weight in weights_of(model).items()})
    write_json(folder / CONFIG, config_to_dict(model.config))
    tokenizer.save(folder / TOKENIZER)
    write(folder / WEIGHTS, weights)
    whole = {**manifest, "parameters": count(model), "weights_sha256": hashlib.sha256(weights).hexdigest()}
    write_json(folder / MANIFEST, whole)
    return folder


def load_bundle(folder: str | Path, attend: Attend | None = None) -> Bundle:
    """The model in a folder, in evaluation mode and 32 bits.

    Raises: ValueError with one line that names the file at fault and says what to do.
    """
    folder = Path(folder)
    manifest = read_json(folder / MANIFEST, REMEDY)
    config = config_from_dict(read_json(folder / CONFIG, REMEDY))
    content = read(folder / WEIGHTS, REMEDY)
    if hashlib.sha256(content).hexdigest() != manifest.get("weights_sha256"):
        raise ValueError(f"{folder / WEIGHTS} is damaged: its checksum is not that of the manifest. {REMEDY}")
    model = Transformer(config, attend=attend)
    _fill(model, content, folder / WEIGHTS)
    tokenizer = ByteBPE.load(folder / TOKENIZER)
    if tokenizer.vocab_size != config.vocab_size:
        raise ValueError(
            f"{folder} does not fit together: its tokenizer has {tokenizer.vocab_size} tokens, "
            f"its model {config.vocab_size}. {REMEDY}"
        )
    return Bundle(model.eval(), tokenizer, manifest)


def weights_of(model: nn.Module) -> dict[str, torch.Tensor]:
    """The model's tensors by name."""
    return dict(model.state_dict())


def count(model: nn.Module) -> int:
    """How many numbers the model has learned; tied ones count once."""
    return sum(weight.numel() for weight in model.parameters())


REMEDY = "Fetch the folder again, or train the model anew with: llmcourse train."


def _fill(model: nn.Module, content: bytes, path: Path) -> None:
    try:
        weights = {name: weight.float() for name, weight in load(content).items()}
        model.load_state_dict(weights)
    except (SafetensorError, RuntimeError):
        raise ValueError(f"{path} does not hold the weights of the model that {CONFIG} describes. {REMEDY}") from None
