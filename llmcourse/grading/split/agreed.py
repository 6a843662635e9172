"""What both sides agree on: which kinds of values cross, what stands for them, and the bytes of tensors."""

import dataclasses
from typing import Any

import torch
from torch import Tensor

NAMES = ("float32", "float64", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool", "complex64")
DTYPES = {name: getattr(torch, name) for name in NAMES}
PLAIN = (bool, int, float, str, type(None))
DEEPEST = 40
# packages whose dataclasses cross as values: both sides have them, and they do nothing but hold data
PARTS = ("data", "decoding", "finetune", "insight", "model", "tokenizers", "training", "world")
KINDS = (bool, int, float, str, list, tuple, dict, set)
CONSTANTS = {str(each): each for each in (*DTYPES.values(), torch.device("cpu"), Ellipsis, NotImplemented, *KINDS)}
SEQUENCES: dict[str, Any] = {"l": list, "t": tuple, "s": set, "f": frozenset}


class Uncrossable(TypeError):
    """A value of a kind that cannot go from one side to the other."""


class Malformed(ValueError):
    """What came from the other side is not what was agreed on."""


def raw(tensor: Tensor) -> Tensor:
    """The tensor's bytes, row by row."""
    if tensor.layout is not torch.strided or tensor.device.type != "cpu" or tensor.dtype not in DTYPES.values():
        raise Uncrossable(f"A tensor of {tensor.dtype} on {tensor.device} cannot cross: make it dense, on the CPU.")
    plain = tensor.detach()
    if type(plain) is not Tensor:
        plain = plain.as_subclass(Tensor)
    if plain.is_complex() or plain.is_neg():
        plain = plain.resolve_conj().resolve_neg()
    return plain.contiguous().reshape(-1).view(torch.uint8)


def rebuilt(dtype: torch.dtype, shape: tuple[int, ...], data: memoryview) -> Tensor:
    """A plain tensor from its bytes.

    Raises: Malformed unless there are just as many as the shape asks for.
    """
    count = 1
    for size in shape:
        if type(size) is not int or not 0 <= size < 2**31:
            raise Malformed("a shape is made of sizes")
        count *= size
    if len(shape) > 16 or count * dtype.itemsize != len(data):
        raise Malformed("a tensor's bytes do not fit its shape")
    if count == 0:
        return torch.empty(shape, dtype=dtype)
    numbers = torch.frombuffer(bytearray(data), dtype=torch.uint8 if dtype is torch.bool else dtype)
    # a bool of any other byte than 0 and 1 is neither True nor False
    return (numbers.ne(0) if dtype is torch.bool else numbers).reshape(shape)


def same(a: Tensor | None, b: Tensor | None) -> bool:
    """Whether two tensors, where there are any, hold the same bytes."""
    if a is None or b is None:
        return a is b
    if a.dtype is not b.dtype:
        return False
    # NaN equals nothing, and its bytes do
    return torch.equal(a, b) or (a.shape == b.shape and torch.equal(raw(a), raw(b)))


def place_of_dataclass(kind: type) -> str | None:
    """Where both sides find this dataclass, if it is one of the course's own."""
    parts = kind.__module__.split(".")
    if parts[0] != "llmcourse" or len(parts) < 2 or parts[1] not in PARTS or not dataclasses.is_dataclass(kind):
        return None
    return f"{kind.__module__}:{kind.__qualname__}"


def index(value: Any) -> int:
    """A place in a list.

    Raises: Malformed for anything but a number from 0.
    """
    if type(value) is not int or value < 0:
        raise Malformed("a place is a number")
    return value


def of_kind(kind: Any, value: Any) -> Any:
    """The value, once it is known to be of that kind."""
    if not isinstance(value, kind):
        raise Malformed(f"it sent a {type(value).__name__} where a {getattr(kind, '__name__', kind)} belongs")
    return value


def clean(text: str) -> str:
    """The text without halves of characters, which no file can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    return text
