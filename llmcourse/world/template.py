"""A template is a sentence with slots; compiled once, it is a row of fixed words and slots."""

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

_SLOT = re.compile(r"([^{}]*)\{(\w+)(?:\.(\w+))?\}([^{}]*)")


@dataclass(frozen=True, eq=False)
class Slot:
    """One word of a template that names a role, e.g. `"{b.full},` has prefix `"`, role b, form full, suffix `,`."""

    role: str
    form: str
    prefix: str
    suffix: str


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
