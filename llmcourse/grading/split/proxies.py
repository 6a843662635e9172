"""Stand-ins for what lives on the other side: objects, modules and optimizers."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from llmcourse.grading.split.peer import Peer

# what a stand-in can do where the real thing can, by the name that crosses
BINARY = ("add", "sub", "mul", "truediv", "matmul")
ARITHMETIC = (*BINARY, *(f"r{name}" for name in BINARY), "pow", "neg", "lt", "le", "gt", "ge")
CONTAINER = {"iter": "__iter__", "next": "__next__", "len": "__len__", "item": "__getitem__", "in": "__contains__"}
SPECIAL = {
    "call": "__call__",
    "put": "__setitem__",
    **CONTAINER,
    **{name: f"__{name}__" for name in ARITHMETIC},
}
OPEN_NAMES = ("__name__", "__qualname__")


class Remote:
    """An object of the other side: it can be used, has no truth value, and equals only itself."""

    __slots__ = ("__weakref__", "_link", "_name")
    _link: tuple["Peer", int]
    _name: str | None  # a function's, with the names that it stands in

    def __getattr__(self, name: str) -> Any:
        if name in OPEN_NAMES and self._name is not None:
            return self._name if name == "__qualname__" else self._name.rpartition(".")[2]
        if name.startswith("__"):
            raise AttributeError(name)
        return self._link[0].request("get", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._link[0].request("set", self, name, value)

    def __bool__(self) -> bool:
        raise TypeError(f"{self!r} lives in another process and is neither true nor false: compare its values.")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of the submission>"

    def __reduce__(self) -> Any:
        raise TypeError(f"{self!r} lives in another process and cannot be copied.")


def _sender(name: str) -> Callable[..., Any]:
    def send(self: Any, *args: Any, **options: Any) -> Any:
        return self._link[0].request(name, self, *args, **options)

    return send


@lru_cache(maxsize=4096)
def remote_class(name: str, can: frozenset[str]) -> type[Remote]:
    """A class of stand-ins with these abilities, under the name of the real thing's class."""
    body: dict[str, Any] = {SPECIAL[each]: _sender(each) for each in can}
    if "next" in can:
        body["__iter__"] = lambda self: self
    return type(tidy(name), (Remote,), {"__slots__": (), **body})


def stand_in(kind: str, can: frozenset[str], name: str | None = None) -> Remote:
    """A stand-in for an object of that class; a function has a name."""
    made: Remote = object.__new__(remote_class(kind, can))
    object.__setattr__(made, "_name", name)
    return made


def tidy(name: str) -> str:
    """A name that may head a class and be shown."""
    return re.sub(r"\W", "_", name)[:60] or "_"


class RemoteModule(nn.Module):
    """A module of the other side: parameters, buffers, submodules and modes are here too, `forward` runs over there."""

    _link: tuple["Peer", int]

    def forward(self, *args: Any, **options: Any) -> Any:
        return self._link[0].request("call", self, *args, **options)

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            if name.startswith("_") or "_link" not in self.__dict__:
                raise
        return self._link[0].request("get", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_") or name == "training":
            super().__setattr__(name, value)
        elif isinstance(value, Tensor | nn.Module) or name in self._parameters or name in self._modules:
            raise TypeError(f"{name} belongs to another process: change it in place, as in `copy_`.")
        else:
            self._link[0].request("set", self, name, value)

    def __deepcopy__(self, memo: Any) -> Any:
        return self._link[0].request("copy", self)


@lru_cache(maxsize=4096)
def module_class(name: str, base: str | None) -> type[RemoteModule]:
    """A class of modules under that name; with a base such as `Linear`, torch's own class takes them for its own."""
    parent = getattr(nn, base, None) if base else None
    if isinstance(parent, type) and issubclass(parent, nn.Module):
        return type(tidy(name), (RemoteModule, parent), {})
    return type(tidy(name), (RemoteModule,), {})


class RemoteOptimizer(torch.optim.Optimizer):
    """An optimizer of the other side: its groups are here too, and its steps are taken over there."""

    _link: tuple["Peer", int]

    def __init__(self, groups: list[dict[str, Any]]) -> None:
        super().__init__(groups, {})

    def step(self) -> Any:  # type: ignore[override]
        return self._link[0].request("step", self)
