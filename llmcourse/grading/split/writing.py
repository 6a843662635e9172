"""Values as JSON and raw buffers: plain data by value, all else as a number that its owner knows."""

import dataclasses
import types
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from llmcourse.grading.split.agreed import (
    DEEPEST,
    DTYPES,
    NAMES,
    PLAIN,
    SEQUENCES,
    TYPES,
    Uncrossable,
    place_of_dataclass,
    raw,
)
from llmcourse.grading.split.proxies import SPECIAL

if TYPE_CHECKING:
    from llmcourse.grading.split.peer import Peer

FUNCTIONS = (types.FunctionType, types.MethodType, types.BuiltinFunctionType, type)
NEVER = (types.ModuleType, types.FrameType, types.CodeType, types.TracebackType)


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
        if isinstance(value, Tensor):
            return self.tensor(value)
        known = self.peer.known(value)
        if known is not None:
            return known
        if isinstance(value, list | tuple | set | frozenset):
            return self.sequence(value, depth)
        if isinstance(value, dict):
            return ["d", [[self.value(key, depth + 1), self.value(item, depth + 1)] for key, item in value.items()]]
        simple = self.simple(value)
        return self.object(value, depth) if simple is None else simple

    def sequence(self, value: Any, depth: int) -> list[Any]:
        tag = next(tag for tag, kind in SEQUENCES.items() if isinstance(value, kind))  # type: ignore[arg-type]
        return [tag, [self.value(item, depth + 1) for item in value]]

    def simple(self, value: Any) -> Any:
        """Small things that have a spelling of their own; None for all others."""
        if isinstance(value, int | float | str):  # their subclasses, NumPy's float among them
            if type(value) is int:
                raise Uncrossable("A whole number of more than 4096 bits does not cross.")
            return self.value(next(kind for kind in (int, float, str) if isinstance(value, kind))(value))
        if isinstance(value, torch.dtype) and str(value).removeprefix("torch.") in DTYPES:
            return ["dtype", str(value).removeprefix("torch.")]
        if isinstance(value, complex):
            return ["complex", value.real, value.imag]
        if isinstance(value, slice | range):
            return [type(value).__name__, *(self.value(part) for part in (value.start, value.stop, value.step))]
        if isinstance(value, bytes | bytearray):
            return ["bytes", self.buffer(bytes(value))]
        if isinstance(value, torch.device):
            return ["device", str(value)]
        if any(value is kind for kind in TYPES.values()):
            return ["type", value.__name__]
        if value is Ellipsis or value is NotImplemented:
            return [str(value)]
        if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0:
            return self.value(value.item())
        return None

    def object(self, value: Any, depth: int) -> Any:
        """An object by its number, with what the other side needs for a stand-in."""
        if isinstance(value, NEVER):
            raise Uncrossable(f"A {type(value).__name__} does not cross.")
        if isinstance(value, nn.Module):
            return self.module(value, depth)
        if isinstance(value, torch.optim.Optimizer):
            number = self.peer.export(value)
            groups = [["d", [[k, self.value(v, depth + 1)] for k, v in g.items()]] for g in value.param_groups]
            return {"k": "optimizer", "n": number, "type": type(value).__name__, "groups": groups}
        if isinstance(value, torch.Generator):
            return self.peer.write_generator(value, self)
        place = place_of_dataclass(type(value))
        if place:
            frozen = value.__dataclass_params__.frozen and hasattr(value, "__dict__")
            held = {f.name: self.value(getattr(value, f.name), depth + 1) for f in dataclasses.fields(value) if f.init}
            return {"k": "data", "n": self.peer.export(value) if frozen else None, "type": place, "fields": held}
        if not self.objects and not isinstance(value, FUNCTIONS):
            raise Uncrossable(f"A {type(value).__name__} does not cross this way.")
        name = getattr(value, "__name__", None) if isinstance(value, FUNCTIONS) else None
        about = {"type": type(value).__name__, "can": abilities(value), "name": name if type(name) is str else None}
        return {"k": "ref", "n": self.peer.export(value), **about}

    def module(self, value: nn.Module, depth: int) -> Any:
        known = self.peer.known(value)
        if known is not None:
            return known
        if depth > DEEPEST:
            raise Uncrossable(f"Modules nested more than {DEEPEST} deep do not cross.")
        kinds = [kind.__name__ for kind in type(value).__mro__ if kind.__module__.startswith("torch.nn.modules")]
        return {
            "k": "module",
            "n": self.peer.export(value),
            "type": type(value).__name__,
            "base": kinds[0] if kinds and kinds[0] != "Module" else None,
            "training": value.training is True,
            "parameters": {k: None if p is None else self.tensor(p) for k, p in value._parameters.items()},
            "buffers": {k: None if b is None else self.shared(b) for k, b in value._buffers.items()},
            "passing": sorted(value._non_persistent_buffers_set),
            "modules": {k: None if m is None else self.module(m, depth + 1) for k, m in value._modules.items()},
        }

    def buffer(self, data: bytes | memoryview) -> int:
        self.buffers.append(data)
        return len(self.buffers) - 1

    def plain(self, tensor: Tensor) -> dict[str, Any]:
        """The tensor's numbers."""
        index = self.buffer(raw(tensor).numpy().data)
        name = next(name for name in NAMES if DTYPES[name] is tensor.dtype)
        return {"k": "tensor", "dtype": name, "shape": list(tensor.shape), "at": index}

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
