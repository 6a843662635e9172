"""JSON and raw buffers as values again; whatever is not just as agreed is Malformed, and nothing of it is kept."""

import sys
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from llmcourse.grading.split.agreed import (
    CONSTANTS,
    DEEPEST,
    DTYPES,
    PLAIN,
    SEQUENCES,
    Malformed,
    clean,
    index,
    of_kind,
    place_of_dataclass,
    rebuilt,
)
from llmcourse.grading.split.proxies import SPECIAL, RemoteModule, RemoteOptimizer, module_class, stand_in

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
        if type(data) is dict and data["k"] in KINDS:
            return getattr(self, f"read_{data['k']}")(data, depth)
        tag, held = data
        if tag in SEQUENCES:
            return SEQUENCES[tag]([self.value(item, depth + 1) for item in held])
        if tag == "d":
            return {self.value(key, depth + 1): self.value(item, depth + 1) for key, item in held}
        if tag == "slice":
            return slice(*(self.value(part, depth + 1) for part in held))
        if tag == "bytes":
            return bytes(self.buffers[index(held)])
        if tag == "constant":
            return CONSTANTS[held]
        raise Malformed("a value is of no known kind")

    def like(self, data: dict[str, Any], tensor: Tensor) -> Tensor:
        """Numbers that fit in the place of this tensor's."""
        new = self.numbers(data)
        if new.dtype != tensor.dtype or new.shape != tensor.shape:
            raise Malformed("a tensor changes its shape")
        return new

    def numbers(self, data: dict[str, Any]) -> Tensor:
        """A tensor's numbers."""
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

    def read_module(self, data: dict[str, Any], depth: int) -> RemoteModule:
        base = data["base"]
        made = object.__new__(module_class(clean(str(data["type"])), base if type(base) is str else None))
        nn.Module.__init__(made)
        for kind, of, parts in ((nn.Parameter, "parameters", "_parameters"), (Tensor, "buffers", "_buffers")):
            for name, part in data[of].items():
                getattr(made, parts)[name] = of_kind(kind | None, self.value(part, depth + 1))
        for name, part in data["modules"].items():
            made._modules[name] = of_kind(nn.Module | None, self.value(part, depth + 1))
        made._non_persistent_buffers_set.update(name for name in data["passing"] if name in made._buffers)
        made.training = of_kind(bool, data["training"])
        return self.peer.adopt(data["n"], made)

    def read_optimizer(self, data: dict[str, Any], depth: int) -> RemoteOptimizer:
        groups = [of_kind(dict, self.value(group, depth + 1)) for group in data["groups"]]
        return self.peer.adopt(data["n"], RemoteOptimizer(groups))

    def read_generator(self, data: dict[str, Any], depth: int) -> torch.Generator:
        """A generator of our own, that goes on where it stopped; the state that it begins with comes once."""
        state = data["state"]
        return self.peer.generator(data["n"], None if state is None else self.numbers(state))

    def read_data(self, data: dict[str, Any], depth: int) -> Any:
        place = data["type"]
        module, _, name = place.partition(":")
        kind = getattr(sys.modules.get(module), name, None)
        if not isinstance(kind, type) or place_of_dataclass(kind) != place or type(data["fields"]) is not dict:
            raise Malformed("it sent an object of no class that crosses")
        made = kind(**{name: self.value(item, depth + 1) for name, item in data["fields"].items()})
        return made if data["n"] is None else self.peer.adopt(data["n"], made)


KINDS = {name.removeprefix("read_") for name in vars(Reader) if name.startswith("read_")}
