"""Tensors, lists and dicts that are lent for one call: what became of them over there comes back with the answer."""

import copy
from collections.abc import Iterable
from typing import Any

from torch import Tensor

from llmcourse.grading.split.agreed import of_kind, same
from llmcourse.grading.split.reading import Reader
from llmcourse.grading.split.writing import Writer


def lent_in(values: Iterable[Any]) -> list[Any]:
    """All tensors, lists and dicts in these values, in an order that both sides come to by themselves."""
    found: list[Any] = []
    for value in values:
        if isinstance(value, Tensor) and not (value.requires_grad and value.is_leaf):  # those are kept equal anyway
            found.append(value)
        elif isinstance(value, list | tuple | dict):
            found += lent_in(value.values() if isinstance(value, dict) else value)
            if not isinstance(value, tuple):
                found.append(value)
    return found


def remembered(lent: list[Any]) -> list[tuple[Any, Any]]:
    """Each thing that was lent, beside a copy."""
    return [(each, each.detach().clone() if isinstance(each, Tensor) else copy.copy(each)) for each in lent]


def changes_of(lent: list[tuple[Any, Any]], writer: Writer) -> list[Any]:
    """What has become of the tensors, lists and dicts that were lent for a call, where they differ."""
    changes: list[Any] = []
    for place, (now, before) in enumerate(lent):
        if isinstance(now, Tensor):
            if now.shape == before.shape and now.dtype == before.dtype and not same(now, before):
                changes.append([place, writer.plain(now)])
        elif len(now) != len(before) or any(a is not b for a, b in zip(flat(now), flat(before), strict=True)):
            changes.append([place, writer.value(now)])
    return changes


def flat(held: Any) -> list[Any]:
    """All that a list or a dict holds."""
    return [each for pair in held.items() for each in pair] if isinstance(held, dict) else held


def give_back(ours: Any, change: Any, reader: Reader) -> None:
    """Make a lent tensor, list or dict what it has become."""
    if isinstance(ours, Tensor):
        ours.copy_(reader.like(change, ours))
        return
    new = of_kind(dict if isinstance(ours, dict) else list, reader.value(change))
    if isinstance(ours, dict):
        ours.clear()
        ours.update(new)
    else:
        ours[:] = new
