"""A template is a sentence with slots; compiled once, it is a row of fixed words and slots."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import Any

_SLOT = re.compile(r"([^{}]*)\{(\w+)(?:\.(\w+))?\}([^{}]*)")


@dataclass(frozen=True, eq=False)
class Slot:
    """One word of a template that names a role, e.g. `"{b.full},` has prefix `"`, role b, form full, suffix `,`."""

    role: str
    form: str
    prefix: str
    suffix: str

    @cached_property
    def look(self) -> tuple[str, str, str]:
        """All that the words of a value depend on, besides the value."""
        return (self.form, self.prefix, self.suffix)


Piece = tuple[str, ...] | Slot


@cache
def compile_template(text: str) -> tuple[Piece, ...]:
    """The pieces of a template: runs of fixed words, and slots.

    Raises: ValueError for spaces that do not separate words, or a word with two slots.
    """
    if not text:
        return ()
    pieces: list[Piece] = []
    for word in text.split(" "):
        slot = _SLOT.fullmatch(word)
        if slot:
            prefix, role, form, suffix = slot.groups()
            pieces.append(Slot(role, form or "", prefix, suffix))
        elif not word or "{" in word or "}" in word:
            raise ValueError(f"each word of a template is plain or holds one slot: {word!r} in {text!r}.")
        elif pieces and isinstance(pieces[-1], tuple):
            pieces[-1] = (*pieces[-1], word)
        else:
            pieces.append((word,))
    return tuple(pieces)


class Trie:
    """The templates of a rule by how they begin, so that a search need not try each of them."""

    def __init__(self) -> None:
        self.words: dict[str, Trie] = {}
        self.slots: list[tuple[Slot, Trie]] = []
        self.ends: list[int] = []
        self.below: list[int] = []

    @classmethod
    def of(cls, templates: Sequence[tuple[Piece, ...]]) -> "Trie":
        """The trie of `templates`, which it knows by their places in the list."""
        root = cls()
        for i, template in enumerate(templates):
            node = root
            node.below.append(i)
            for piece in template:
                for step in (piece,) if isinstance(piece, Slot) else piece:
                    node = node._child(step)
                    node.below.append(i)
            node.ends.append(i)
        return root

    def _child(self, step: str | Slot) -> "Trie":
        if isinstance(step, str):
            return self.words.setdefault(step, Trie())
        for slot, child in self.slots:
            if (slot.role, slot.look) == (step.role, step.look):
                return child
        self.slots.append((step, Trie()))
        return self.slots[-1][1]


@dataclass(frozen=True)
class Wording:
    """The templates of a rule, with the label of the group that each is from, and their trie."""

    templates: tuple[tuple[Piece, ...], ...]
    labels: tuple[Any, ...]
    trie: Trie


def render(value: Any, form: str) -> str:
    """The words for `value`: a string as it is, a thing or a person by the named form."""
    if isinstance(value, str):
        return value[:1].upper() + value[1:] if form == "Cap" else value
    if isinstance(value, int):
        return render(number_word(value), form)
    return value.forms[form]


@lru_cache(maxsize=65536)
def render_words(value: Any, form: str, prefix: str, suffix: str) -> tuple[str, ...]:
    """The words for `value` with the punctuation that touches it."""
    return tuple((prefix + render(value, form) + suffix).split(" "))


def words_of(text: str) -> tuple[str, ...]:
    """The words of `text`."""
    return tuple(text.split())


_SMALL = words_of(
    "no one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TENS = words_of("twenty thirty forty fifty sixty seventy eighty ninety")


def number_word(n: int) -> str:
    """`n` in English words, 0 to 99; 0 is "no", as in "no eggs"."""
    if not 0 <= n <= 99:
        raise ValueError(f"numbers run from 0 to 99: {n}.")
    if n < 20:
        return _SMALL[n]
    tens = _TENS[n // 10 - 2]
    return tens if n % 10 == 0 else f"{tens}-{_SMALL[n % 10]}"
