"""Values as JSON and raw buffers: plain data by value, all else as a number that its owner knows."""

import dataclasses
import types
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from llmcourse.grading.split.agreed import (
    CONSTANTS,
    DEEPEST,
    PLAIN,
    SEQUENCES,
    Uncrossable,
    place_of_dataclass,
    raw,
)
from llmcourse.grading.split.proxies import SPECIAL

if TYPE_CHECKING:
    from llmcourse.grading.split.peer import Peer

FUNCTIONS = (types.FunctionType, types.MethodType, types.BuiltinFunctionType, type)
NEVER = (types.ModuleType, types.FrameType, types.CodeType, types.TracebackType)
NAMED = {type(value) for value in CONSTANTS.values()}


class Writer:
    """Turns the values of one message into JSON; `buffers` holds the numbers of tensors."""

    def __init__(self, peer: "Peer", answering: bool = False, objects: bool = True) -> None:
        self.peer, self.answering, self.objects = peer, answering, objects
        self.buffers: list[bytes | memoryview] = []
        self.outputs: list[Tensor] = []  # tensors of an answer that hang on a graph

    def value(self, value: Any, depth: int = 0) -> Any:
        """The value as JSON.

        Raises: Uncrossable for what has no form that crosses.
        """
        if depth > DEEPEST:
            raise Uncrossable(f"Values nested more than {DEEPEST} deep do not cross.")
        if type(value) in PLAIN and not (type(value) is int and value.bit_length() > 4096):
            return value
        known = self.peer.known(value)
        if known is not None:
            return known
        if isinstance(value, Tensor):
            return self.tensor(value)
        for tag, kind in SEQUENCES.items():
            if isinstance(value, kind):
                return [tag, [self.value(item, depth + 1) for item in value]]
        if isinstance(value, dict):
            return ["d", [[self.value(key, depth + 1), self.value(item, depth + 1)] for key, item in value.items()]]
        simple = self.simple(value)
        return self.object(value, depth) if simple is None else simple

    def simple(self, value: Any) -> Any:
        """Small things that have a spelling of their own; None for all others."""
        if type(value) is int:
            raise Uncrossable("A whole number of more than 4096 bits does not cross.")
        for kind in (int, float, str):
            if isinstance(value, kind):  # their subclasses, NumPy's float among them
                return self.value(kind(value))
        if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0:
            return self.value(value.item())
        if isinstance(value, slice):
            return ["slice", [self.value(part) for part in (value.start, value.stop, value.step)]]
        if isinstance(value, bytes | bytearray):
            return ["bytes", self.buffer(bytes(value))]
        if type(value) in NAMED and str(value) in CONSTANTS:
            return ["constant", str(value)]
        return None

    def object(self, value: Any, depth: int) -> Any:
        """An object by its number, with what the other side needs for a stand-in."""
        if isinstance(value, NEVER):
            raise Uncrossable(f"A {type(value).__name__} does not cross.")
        if isinstance(value, nn.Module):
            return self.module(value, depth)
        if isinstance(value, torch.optim.Optimizer):
            number = self.peer.export(value)
            return {"k": "optimizer", "n": number, "groups": [self.value(g, depth + 1) for g in value.param_groups]}
        if isinstance(value, torch.Generator):
            number = self.peer.export(value)
            state = self.peer.new_state(number, value)
            return {"k": "generator", "n": number, "state": None if state is None else self.plain(state)}
        place = place_of_dataclass(type(value))
        if place:
            frozen = value.__dataclass_params__.frozen and hasattr(value, "__dict__")
            held = {f.name: self.value(getattr(value, f.name), depth + 1) for f in dataclasses.fields(value) if f.init}
            return {"k": "data", "n": self.peer.export(value) if frozen else None, "type": place, "fields": held}
        if not self.objects and not isinstance(value, FUNCTIONS):
            raise Uncrossable(f"A {type(value).__name__} does not cross this way.")
        name = getattr(value, "__qualname__", None) if isinstance(value, FUNCTIONS) else None
        about = {"type": type(value).__name__, "can": abilities(value), "name": name if type(name) is str else None}
        return {"k": "ref", "n": self.peer.export(value), **about}

    def module(self, value: nn.Module, depth: int) -> Any:
        kinds = [kind.__name__ for kind in type(value).__mro__ if kind.__module__.startswith("torch.nn.modules")]
        return {
            "k": "module",
            "n": self.peer.export(value),
            "type": type(value).__name__,
            "base": kinds[0] if kinds and kinds[0] != "Module" else None,
            "training": value.training is True,
            "parameters": {name: self.value(part) for name, part in value._parameters.items()},
            "buffers": {name: None if part is None else self.shared(part) for name, part in value._buffers.items()},
            "passing": sorted(value._non_persistent_buffers_set),
            "modules": {name: self.value(part, depth + 1) for name, part in value._modules.items()},
        }

    def buffer(self, data: bytes | memoryview) -> int:
        self.buffers.append(data)
        return len(self.buffers) - 1

    def plain(self, tensor: Tensor) -> dict[str, Any]:
        """The tensor's numbers."""
        at = self.buffer(raw(tensor).numpy().data)
        dtype = str(tensor.dtype).removeprefix("torch.")
        return {"k": "tensor", "dtype": dtype, "shape": list(tensor.shape), "at": at}

    def tensor(self, tensor: Tensor) -> Any:
        """A tensor: by its numbers, as a leaf that both sides keep equal, or as a place where a graph is cut."""
        if isinstance(tensor, nn.Parameter) or (tensor.requires_grad and tensor.is_leaf):
            return self.shared(tensor)
        if tensor.requires_grad and self.answering:
            self.outputs.append(tensor)
            return {"k": "out", "i": len(self.outputs) - 1}
        if tensor.requires_grad:
            return {**self.plain(tensor), "k": "cut", "n": self.peer.export(tensor)}
        return self.plain(tensor)

    def shared(self, tensor: Tensor) -> Any:
        """A tensor that both sides keep equal from now on."""
        known = self.peer.known(tensor)
        if known is not None:
            return known
        grad = None if tensor.grad is None else self.plain(tensor.grad)
        kind = "parameter" if isinstance(tensor, nn.Parameter) else "leaf"
        number = self.peer.export(tensor, keep_equal=True)
        return {**self.plain(tensor), "k": kind, "n": number, "grad": grad, "needs": tensor.requires_grad}


def abilities(value: Any) -> list[str]:
    """What a stand-in for this value can do."""
    if isinstance(value, FUNCTIONS):
        return ["call"]
    return [name for name, special in SPECIAL.items() if callable(getattr(type(value), special, None))]
