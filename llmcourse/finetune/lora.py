"""LoRA: the matrices of a model stay as they are, and a small correction is learned beside each of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from llmcourse.finetune.parts import fingerprint, is_alike, load_part, save_part

KIND = "LoRA"


@dataclass(frozen=True, kw_only=True)
class LoraConfig:
    """How large corrections are and where they go: `layers` are patterns for the names of linear layers.

    Raises: ValueError for a rank below 1, an alpha that is not positive, or no layers.
    """

    rank: int = 8
    alpha: float = 16.0
    layers: tuple[str, ...] = ("*.query", "*.value")

    def __post_init__(self) -> None:
        if self.rank < 1 or self.alpha <= 0:
            raise ValueError(f"rank must be at least 1 and alpha positive, not rank={self.rank}, alpha={self.alpha}.")
        if not self.layers:
            raise ValueError('LoRA needs layers to correct, such as layers=("*.query", "*.value").')

    @property
    def scale(self) -> float:
        """What the product of the two factors is multiplied with, so that a rank may change and the rate stay."""
        return self.alpha / self.rank


class LoraLinear(nn.Module):
    """A frozen linear layer, and beside it two thin matrices whose product is what tuning adds to its own.

    `narrow` starts at random and `widen`, which follows it, at zero, so that the layer begins as it was.
    Source: Hu et al. 2022, where they are A and B.
    """

    def __init__(self, base: nn.Linear, config: LoraConfig, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.base = base.requires_grad_(False)
        self.config = config
        like = base.weight
        self.narrow = nn.Parameter(torch.empty(config.rank, base.in_features, device=like.device, dtype=like.dtype))
        self.widen = nn.Parameter(torch.zeros(base.out_features, config.rank, device=like.device, dtype=like.dtype))
        with torch.no_grad():
            # drawn on the CPU, where the generator is: the same start on every device
            self.narrow.copy_(torch.randn(self.narrow.shape, generator=generator) * base.in_features**-0.5)

    def forward(self, vectors: Float[Tensor, "*tokens columns"]) -> Float[Tensor, "*tokens rows"]:
        return self.base(vectors) + self.config.scale * F.linear(F.linear(vectors, self.narrow), self.widen)

    def correction(self) -> Float[Tensor, "rows columns"]:
        """What the two factors add to the layer's own matrix."""
        return self.config.scale * self.widen @ self.narrow


Adapters = Mapping[str, LoraLinear]


def add_lora(model: nn.Module, config: LoraConfig | None = None, generator: torch.Generator | None = None) -> Adapters:
    """Freezes the model, puts a correction beside each layer that the config names, and gives these back by name.

    Raises: ValueError where corrections are there already, or a pattern fits no linear layer.
    """
    config = config or LoraConfig()
    there = find_lora(model)
    if there:
        raise ValueError(f"The model has LoRA already, as on {next(iter(there))}: merge it before you add another.")
    linear = {name: layer for name, layer in model.named_modules() if isinstance(layer, nn.Linear)}
    for pattern in config.layers:
        if not any(fnmatchcase(name, pattern) for name in linear):
            endings = dict.fromkeys("*." + name.split(".")[-1] for name in linear)
            raise ValueError(f"No linear layer is called {pattern!r}; there are {', '.join(endings) or 'none'}.")
    chosen = [name for name in linear if any(fnmatchcase(name, pattern) for pattern in config.layers)]
    model.requires_grad_(False)
    adapters = {name: LoraLinear(linear[name], config, generator) for name in chosen}
    _put(model, adapters)
    return adapters


def find_lora(model: nn.Module) -> Adapters:
    """The corrected layers of a model, by name."""
    return {name: layer for name, layer in model.named_modules() if isinstance(layer, LoraLinear)}


@torch.no_grad()
def merge_lora(model: nn.Module) -> Adapters:
    """Adds each correction to its layer's own matrix, which leaves a plain model, and gives back what it took off.

    Raises: ValueError where there is nothing to merge, such as after an earlier merge.
    """
    adapters = find_lora(model)
    if not adapters:
        raise ValueError("The model has no LoRA to merge; a second merge would count the corrections twice.")
    for layer in adapters.values():
        layer.base.weight += layer.correction()
    _put(model, {name: layer.base for name, layer in adapters.items()})
    return adapters


@torch.no_grad()
def unmerge_lora(model: nn.Module, adapters: Adapters) -> None:
    """Undoes `merge_lora`, which gave back the adapters.

    Raises: ValueError where the model is not the one that they were merged into, or they were taken out already.
    """
    layers = dict(model.named_modules())
    for name, layer in adapters.items():
        if layers.get(name) is not layer.base:
            raise ValueError(f"These corrections are not merged into the model's {name}; unmerge what merge gave back.")
    for layer in adapters.values():
        layer.base.weight -= layer.correction()
    _put(model, adapters)


def save_lora(path: str | Path, model: nn.Module) -> None:
    """Writes the corrections alone, whole or not at all. Raises: ValueError where the model has none."""
    adapters = find_lora(model)
    if not adapters:
        raise ValueError("The model has no LoRA to save; after a merge it is a plain model, and saved as one.")
    config = next(iter(adapters.values())).config
    factors = {
        f"{name}.{part}": getattr(layer, part) for name, layer in adapters.items() for part in ("narrow", "widen")
    }
    sums = {name: fingerprint(layer.base.weight) for name, layer in adapters.items()}
    settings = {"rank": config.rank, "alpha": config.alpha, "layers": config.layers, "sums": sums}
    save_part(path, factors, KIND, settings)


@torch.no_grad()
def load_lora(path: str | Path, model: nn.Module) -> Adapters:
    """Puts saved corrections on the model that they were learned for; freezes it, and gives them back by name.

    Raises: ValueError where the file is damaged or belongs to another model, or the model has LoRA on or in it;
    then the model stays as it was.
    """
    factors, settings = load_part(path, KIND)
    config = LoraConfig(rank=settings["rank"], alpha=settings["alpha"], layers=tuple(settings["layers"]))
    if find_lora(model):
        raise ValueError("The model has LoRA already: merge it before you load another.")
    layers = dict(model.named_modules())
    for name, total in settings["sums"].items():
        layer = layers.get(name)
        shape = (factors[f"{name}.widen"].shape[0], factors[f"{name}.narrow"].shape[1])
        if not isinstance(layer, nn.Linear) or layer.weight.shape != shape:
            raise ValueError(f"{path} corrects a layer {name} of {shape[0]} x {shape[1]}; this model has none there.")
        if not is_alike(layer.weight, total):
            raise ValueError(
                f"{path} was learned beside other weights in {name}: is this another model, or is it merged already?"
            )
    model.requires_grad_(False)
    adapters = {name: LoraLinear(layers[name], config) for name in settings["sums"]}
    for name, adapter in adapters.items():
        adapter.narrow.copy_(factors[f"{name}.narrow"])
        adapter.widen.copy_(factors[f"{name}.widen"])
    _put(model, adapters)
    return adapters


def _put(model: nn.Module, layers: Mapping[str, nn.Module]) -> None:
    for name, layer in layers.items():
        parent, _, child = name.rpartition(".")
        setattr(model.get_submodule(parent), child, layer)
