"""A language for recipes: lines of code with loops and conditions, and a cook who follows them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from llmcourse.world.lexicon import ITEMS, WEATHERS

INDENT = "    "
_ITEM = {name: item for item in ITEMS for name in (item.one, item.many)}
_LINE = re.compile(rf"((?:{INDENT})*)(\S.*)")
_AMOUNT = re.compile(r"([0-9]+) ([a-z]+)")
_OTHERWISE = "otherwise:"


@dataclass(frozen=True)
class Take:
    """So many more in the pot."""

    n: int
    item: str


@dataclass(frozen=True)
class Drop:
    """So many fewer in the pot, or none where there are not as many."""

    n: int
    item: str


@dataclass(frozen=True)
class Double:
    """Twice as many in the pot."""

    item: str


@dataclass(frozen=True)
class Swap:
    """As many of the one as there were of the other, and the other way round."""

    item: str
    other: str


@dataclass(frozen=True)
class Repeat:
    """The steps below, so many times."""

    n: int
    steps: tuple["Step", ...]


@dataclass(frozen=True)
class If:
    """The steps below where the weather is `test`, or where there are more than so many of an item; else the others."""

    test: str | tuple[int, str]
    steps: tuple["Step", ...]
    otherwise: tuple["Step", ...] = ()


Step = Take | Drop | Double | Swap | Repeat | If


@dataclass(frozen=True)
class Recipe:
    """The weather, and what is to be done."""

    weather: str
    steps: tuple[Step, ...]


def cook(recipe: str) -> dict[str, int]:
    """What is in the pot after a recipe: how many of each item, by its name for one, such as {"egg": 4, "plum": 1}.

    Raises: what `read_recipe` does.
    """
    read = read_recipe(recipe)
    pot: dict[str, int] = {}
    _follow(read.steps, read.weather, pot)
    return {item: n for item, n in pot.items() if n}


def _follow(steps: Sequence[Step], weather: str, pot: dict[str, int]) -> None:
    for step in steps:
        match step:
            case Take(n, item):
                pot[item] = pot.get(item, 0) + n
            case Drop(n, item):
                pot[item] = max(pot.get(item, 0) - n, 0)
            case Double(item):
                pot[item] = 2 * pot.get(item, 0)
            case Swap(item, other):
                pot[item], pot[other] = pot.get(other, 0), pot.get(item, 0)
            case Repeat(n, below):
                for _ in range(n):
                    _follow(below, weather, pot)
            case If(test, below, otherwise):
                holds = test == weather if isinstance(test, str) else pot.get(test[1], 0) > test[0]
                _follow(below if holds else otherwise, weather, pot)


class _Line(NamedTuple):
    """A line without its indent, and the lines that stand below it, further to the right."""

    number: int
    text: str
    below: list["_Line"]


def read_recipe(recipe: str) -> Recipe:
    """The recipe as steps within steps.

    Raises: ValueError naming the first line that is no step, or that does not stand where it may.
    """
    rows = recipe.split("\n")
    head, _, weather = rows[0].partition(" ")
    if head != "weather" or weather not in WEATHERS:
        raise ValueError(f"line 1 tells the weather, one of {', '.join(WEATHERS)}: {rows[0]!r}.")
    above: list[list[_Line]] = [[]]
    for number, row in enumerate(rows[1:], 2):
        found = _LINE.fullmatch(row)
        depth = len(found[1]) // len(INDENT) if found else -1
        if not found or depth >= len(above):
            raise ValueError(
                f"line {number} must be indented by four spaces for each line that it belongs to: {row!r}."
            )
        line = _Line(number, found[2], [])
        above[depth].append(line)
        above[depth + 1 :] = [line.below]
    return Recipe(weather, _steps(above[0]))


def _steps(lines: Sequence[_Line]) -> tuple[Step, ...]:
    steps: list[Step] = []
    for line in lines:
        if line.text == _OTHERWISE:
            last = steps.pop() if steps else None
            if not isinstance(last, If) or last.otherwise or not line.below:
                raise ValueError(f"line {line.number}, 'otherwise:', needs an `if` before it and lines below it.")
            steps.append(If(last.test, last.steps, _steps(line.below)))
        else:
            steps.append(_compound(line) if line.text.endswith(":") else _simple(line))
    return tuple(steps)


def _compound(line: _Line) -> Step:
    head, _, rest = line.text.removesuffix(":").partition(" ")
    if not line.below:
        raise ValueError(f"line {line.number}, {line.text!r}, needs lines below it.")
    if head == "repeat" and rest.isascii() and rest.isdigit():
        return Repeat(int(rest), _steps(line.below))
    if head == "if" and rest in WEATHERS:
        return If(rest, _steps(line.below))
    if head == "if" and rest.startswith("more than "):
        return If(_amount(line, rest.removeprefix("more than ")), _steps(line.below))
    raise _no_step(line)


def _simple(line: _Line) -> Step:
    head, _, rest = line.text.partition(" ")
    if line.below:
        raise ValueError(f"line {line.number}, {line.text!r}, has lines below it, but no colon.")
    match head:
        case "take":
            return Take(*_amount(line, rest))
        case "drop":
            return Drop(*_amount(line, rest))
        case "double":
            return Double(_item(line, rest))
        case "swap":
            one, _, other = rest.partition(" and ")
            return Swap(_item(line, one), _item(line, other))
    raise _no_step(line)


def _amount(line: _Line, words: str) -> tuple[int, str]:
    found = _AMOUNT.fullmatch(words)
    if not found:
        raise _no_step(line)
    return int(found[1]), _item(line, found[2])


def _item(line: _Line, name: str) -> str:
    if name not in _ITEM:
        raise ValueError(f"line {line.number}: items are {', '.join(i.many for i in ITEMS)}, not {name!r}.")
    return _ITEM[name].one


def _no_step(line: _Line) -> ValueError:
    return ValueError(f"line {line.number} is no step: {line.text!r}.")
