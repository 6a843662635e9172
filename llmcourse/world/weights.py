"""Every probability of the world comes from a name and the world's seed, the same on every machine."""

import hashlib
from collections.abc import Iterable, Sequence
from functools import reduce
from operator import add, index
from random import Random
from typing import Any, TypeVar

T = TypeVar("T")

_SCALE = float(2**53)


def stable_uniform(*names: object) -> float:
    """A number in [0, 1) that depends on `names` alone: not on the process, the platform or Python's version."""
    digest = hashlib.sha256("/".join(map(str, names)).encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / _SCALE


def stable_random(*names: object) -> Random:
    """A random stream that `names` alone decide."""
    return Random(int.from_bytes(hashlib.sha256("/".join(map(str, names)).encode()).digest(), "big"))


def stable_order(items: Sequence[T], *names: object) -> list[T]:
    """`items` in an order that `names` decide; an item's sort key is its place in `items`."""
    keyed = sorted((stable_uniform(*names, i), i) for i in range(len(items)))
    return [items[i] for _, i in keyed]


def whole_number(name: str, value: Any, low: int | None = None) -> int:
    """`value` as an int of any size, from wherever it comes (a numpy integer, say).

    Raises: ValueError naming it where it is no whole number, or less than `low`.
    """
    try:
        number = None if isinstance(value, bool) else index(value)
    except TypeError:
        number = None
    if number is None or (low is not None and number < low):
        rule = "a whole number" if low is None else f"a whole number, {low} or more"
        raise ValueError(f"{name} is {rule}: {name}={value!r}.")
    return number


def added(numbers: Iterable[float]) -> float:
    """The sum, added from left to right: `sum` itself rounds otherwise from Python 3.12 on."""
    return reduce(add, numbers, 0.0)


def normalised(weights: Sequence[float], noise: float) -> list[float]:
    """Probabilities in proportion to `weights`, with a share `noise` of the mass spread evenly."""
    total = added(weights)
    return [(1.0 - noise) * w / total + noise / len(weights) for w in weights]
