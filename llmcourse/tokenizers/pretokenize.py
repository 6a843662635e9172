"""Cut a text into pieces that no merge may cross: words with the space before them, numbers, punctuation, blanks."""

import re
from collections.abc import Iterator, Sequence

import regex

# Source: Radford et al. 2019, the pattern of the released encoder.
GPT2_PATTERN = r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""

# The patterns of two later public encodings, as the tiktoken package spells them.
CL100K_PATTERN = (
    r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"""
    r"""|\s++$|\s*[\r\n]|\s+(?!\S)|\s"""
)
O200K_PATTERN = "|".join(
    (
        r"""[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?""",
        r"""[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?""",
        r"""\p{N}{1,3}""",
        r""" ?[^\s\p{L}\p{N}]+[\r\n/]*""",
        r"""\s*[\r\n]+""",
        r"""\s+(?!\S)""",
        r"""\s+""",
    )
)


# The first of them for text in ASCII alone, where the standard library needs a third of the time.
GPT2_ON_ASCII = re.compile(
    r"""'s|'t|'re|'ve|'m|'ll|'d| ?[A-Za-z]+| ?[0-9]+| ?[^ \t-\rA-Za-z0-9]+|[ \t-\r]+(?![^ \t-\r])|[ \t-\r]+"""
)


def pretokenize(text: str, pattern: str = GPT2_PATTERN) -> list[str]:
    """The pieces of the text, in order; joined, they are the text again.

    Raises: ValueError when the pattern leaves characters out.
    """
    if pattern == GPT2_PATTERN and text.isascii():
        return GPT2_ON_ASCII.findall(text)
    compiled = regex.compile(pattern)
    if compiled.groups:  # `findall` would give the groups
        pieces = [match.group() for match in compiled.finditer(text)]
    else:
        pieces = compiled.findall(text)
    if sum(map(len, pieces)) != len(text):
        raise ValueError(f"The pattern must cover every character, but it drops some of {text[:40]!r}.")
    return pieces


def split_specials(text: str, specials: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Stretches of text, each with whether it is a special token; the longest special that fits wins."""
    if not specials:
        yield text, False
        return
    longest_first = sorted(specials, key=len, reverse=True)
    marker = regex.compile("|".join(map(regex.escape, longest_first)))
    end = 0
    for match in marker.finditer(text):
        yield text[end : match.start()], False
        yield match.group(), True
        end = match.end()
    yield text[end:], False
