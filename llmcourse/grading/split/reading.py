"""JSON and raw buffers as values again; whatever is not just as agreed is Malformed, and nothing of it is kept."""

import sys
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from llmcourse.grading.split.agreed import (
    DEEPEST,
    DTYPES,
    PLAIN,
    SEQUENCES,
    TYPES,
    Malformed,
    clean,
    index,
    place_of_dataclass,
    rebuilt,
)
from llmcourse.grading.split.proxies import SPECIAL, stand_in

if TYPE_CHECKING:
    from llmcourse.grading.split.peer import Peer


class Reader:
    """Turns the JSON of one message back into values; whatever is not just right is Malformed."""

    def __init__(self, peer: "Peer", buffers: list[memoryview]) -> None:
        self.peer, self.buffers = peer, buffers
        self.outputs: list[Tensor] = []

    def value(self, data: Any, depth: int = 0) -> Any:
        """The value that was written."""
        if depth > DEEPEST + 2:
            raise Malformed("values are nested too deep")
        if type(data) is str:
            return clean(data)
        if type(data) in PLAIN:
            return data
        if type(data) is dict:
            kind = data["k"]
            if kind not in KINDS:
                raise Malformed("a value is of no known kind")
            return getattr(self, f"read_{kind}")(data, depth)
        tag, *rest = data
        if tag in SEQUENCES:
            (items,) = rest
            return SEQUENCES[tag]([self.value(item, depth + 1) for item in items])
        if tag == "d":
            (pairs,) = rest
            return {self.value(key, depth + 1): self.value(item, depth + 1) for key, item in pairs}
        return self.simple(tag, rest)

    def simple(self, tag: str, rest: list[Any]) -> Any:
        if tag == "dtype":
            return DTYPES[rest[0]]
        if tag == "type":
            return TYPES[rest[0]]
        if tag == "device" and rest == ["cpu"]:
            return torch.device("cpu")
        if tag in ("slice", "range"):
            start, stop, step = (self.value(part) for part in rest)
            return slice(start, stop, step) if tag == "slice" else range(start, stop, step)
        if tag == "complex":
            return complex(*rest)
        if tag == "bytes":
            return bytes(self.buffers[index(rest[0])])
        if tag in ("Ellipsis", "NotImplemented"):
            return Ellipsis if tag == "Ellipsis" else NotImplemented
        raise Malformed("a value is of no known kind")

    def like(self, data: dict[str, Any], tensor: Tensor) -> Tensor:
        """Numbers that fit in the place of this tensor's."""
        new = self.numbers(data)
        if new.dtype != tensor.dtype or new.shape != tensor.shape:
            raise Malformed("a tensor changes its shape")
        return new

    def numbers(self, data: dict[str, Any]) -> Tensor:
        return rebuilt(DTYPES[data["dtype"]], tuple(data["shape"]), self.buffers[index(data["at"])])

    def read_tensor(self, data: dict[str, Any], depth: int) -> Tensor:
        return self.numbers(data)

    def read_cut(self, data: dict[str, Any], depth: int) -> Tensor:
        leaf = self.numbers(data).requires_grad_()
        self.peer.adopt(data["n"], leaf)
        with torch.enable_grad():
            return leaf.clone()  # no leaf, as on the other side: it may be changed in place

    def read_leaf(self, data: dict[str, Any], depth: int) -> Tensor:
        return self.leaf(data, self.numbers(data).requires_grad_(data["needs"]))

    def read_parameter(self, data: dict[str, Any], depth: int) -> Tensor:
        return self.leaf(data, nn.Parameter(self.numbers(data), requires_grad=data["needs"]))

    def leaf(self, data: dict[str, Any], tensor: Tensor) -> Tensor:
        if data["grad"] is not None:
            tensor.grad = self.like(data["grad"], tensor)
        self.peer.adopt(data["n"], tensor, keep_equal=True)
        return tensor

    def read_out(self, data: dict[str, Any], depth: int) -> Tensor:
        return self.outputs[index(data["i"])]

    def read_mine(self, data: dict[str, Any], depth: int) -> Any:
        return self.peer.adopted(data["n"])  # the sender's own: ours is the stand-in

    def read_yours(self, data: dict[str, Any], depth: int) -> Any:
        return self.peer.exported(data["n"])

    def read_ref(self, data: dict[str, Any], depth: int) -> Any:
        can = frozenset(name for name in data["can"] if name in SPECIAL)
        name = None if data["name"] is None else clean(str(data["name"]))
        return self.peer.adopt(data["n"], stand_in(clean(str(data["type"])), can, name))

    def read_module(self, data: dict[str, Any], depth: int) -> Any:
        return self.peer.read_module(data, self, depth)

    def read_optimizer(self, data: dict[str, Any], depth: int) -> Any:
        return self.peer.read_optimizer(data, self, depth)

    def read_generator(self, data: dict[str, Any], depth: int) -> torch.Generator:
        return self.peer.read_generator(data, self)

    def read_data(self, data: dict[str, Any], depth: int) -> Any:
        place = data["type"]
        module, _, name = place.partition(":")
        kind = getattr(sys.modules.get(module), name, None)
        if not isinstance(kind, type) or place_of_dataclass(kind) != place or type(data["fields"]) is not dict:
            raise Malformed("it sent an object of no class that crosses")
        made = kind(**{name: self.value(item, depth + 1) for name, item in data["fields"].items()})
        return made if data["n"] is None else self.peer.adopt(data["n"], made)


KINDS = {name.removeprefix("read_") for name in vars(Reader) if name.startswith("read_")}
