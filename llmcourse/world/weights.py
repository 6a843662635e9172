"""Every probability of the world comes from a name and the world's seed, the same on every machine."""

import hashlib
from collections.abc import Sequence
from random import Random
from typing import TypeVar

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


def normalised(weights: Sequence[float], noise: float) -> list[float]:
    """Probabilities in proportion to `weights`, with a share `noise` of the mass spread evenly."""
    total = sum(weights)
    return [(1.0 - noise) * w / total + noise / len(weights) for w in weights]
