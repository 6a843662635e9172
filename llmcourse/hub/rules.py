"""Rename rules: which published tensor holds which of ours, and how its numbers are laid out."""

from collections.abc import Container, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class Rule:
    """One published tensor and the tensors of ours that it holds; `{i}` stands for the layer, `{e}` for the expert.

    `transposed` is for weights kept as input x output. Several names of ours mean that theirs lie end to end along
    the output axis; `by_head` that they take turns there, head by head. `beside` and `without` name a tensor of ours
    that the model must have, or must not have: theirs may call one thing differently where another is there.
    """

    theirs: str
    ours: tuple[str, ...]
    transposed: bool = False
    by_head: bool = False
    beside: str = ""
    without: str = ""

    def to_ours(self, tensor: Tensor, n_heads: int) -> tuple[Tensor, ...]:
        if self.by_head:
            parts = tensor.unflatten(0, (n_heads, len(self.ours), -1)).unbind(dim=1)
            return tuple(part.flatten(0, 1) for part in parts)
        return (tensor.T if self.transposed else tensor).chunk(len(self.ours))

    def to_theirs(self, tensors: tuple[Tensor, ...], n_heads: int) -> Tensor:
        if self.by_head:
            return torch.stack([tensor.unflatten(0, (n_heads, -1)) for tensor in tensors], dim=1).flatten(0, 2)
        joined = tensors[0] if len(tensors) == 1 else torch.cat(tensors)
        return joined.T if self.transposed else joined

    def fits(self, names: Container[str]) -> bool:
        """Whether a model with tensors of these names has what the rule renames."""
        has_all = all(name in names for name in self.ours)
        return has_all and self.without not in names and (not self.beside or self.beside in names)

    def spelled_out(self, n_layers: int, n_experts: int) -> Iterator["Rule"]:
        """The rule for each layer, and for each expert in it."""
        for i in range(n_layers if "{i}" in self.theirs else 1):
            for e in range(n_experts if "{e}" in self.theirs else 1):
                ours = tuple(name.format(i=i, e=e) for name in self.ours)
                names = {key: getattr(self, key).format(i=i, e=e) for key in ("theirs", "beside", "without")}
                yield replace(self, ours=ours, **names)


def both(theirs: str, *ours: str, transposed: bool = False, by_head: bool = False) -> tuple[Rule, Rule]:
    """The rules for a layer's weight and its bias; a bias has no axes to transpose."""
    weight = Rule(f"{theirs}.weight", tuple(f"{name}.weight" for name in ours), transposed, by_head)
    return weight, Rule(f"{theirs}.bias", tuple(f"{name}.bias" for name in ours), by_head=by_head)


def each(theirs: str, ours: str, names: dict[str, str]) -> tuple[Rule, ...]:
    """The rules for several layers under one roof: `names` says what theirs are called, and what ours are."""
    pairs = (both(f"{theirs}.{name}", f"{ours}.{our_name}") for name, our_name in names.items())
    return tuple(rule for pair in pairs for rule in pair)
