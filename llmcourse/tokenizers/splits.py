"""Ways to cut a text into pieces before the model sees it; each tokenizer family has its own."""

import string
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from llmcourse.tokenizers.alphabet import spell, to_bytes
from llmcourse.tokenizers.normalize import BLANK, Literally, Regex
from llmcourse.tokenizers.pretokenize import GPT2_PATTERN, pretokenize


@dataclass(frozen=True)
class ByteLevel:
    """The pieces of GPT-2's pattern, if asked for, spelled with one visible character for each byte."""

    add_prefix_space: bool = False
    use_regex: bool = True

    def __call__(self, text: str, at_start: bool) -> list[str]:
        """The pieces."""
        if self.add_prefix_space and not text.startswith(" "):
            text = " " + text
        pieces = pretokenize(text, GPT2_PATTERN) if self.use_regex else [text]
        return [spell(to_bytes(piece)) for piece in pieces]


@dataclass(frozen=True)
class Split:
    """Every match of a pattern is a piece of its own, or is removed; so is what stands between matches."""

    pattern: Regex | Literally
    behavior: Literal["Isolated", "Removed"] = "Isolated"

    def __call__(self, text: str, at_start: bool) -> list[str]:
        """The pieces."""
        pieces, end = [], 0
        for match in self.pattern.compiled().finditer(text):
            pieces.append(text[end : match.start()])
            if self.behavior == "Isolated":
                pieces.append(match.group())
            end = match.end()
        return [piece for piece in (*pieces, text[end:]) if piece]


@dataclass(frozen=True)
class BertPreTokenizer:
    """Words without the blanks between them, and each punctuation mark alone. Source: Devlin et al. 2019, the code."""

    def __call__(self, text: str, at_start: bool) -> list[str]:
        """The pieces."""
        return [piece for word in WhitespaceSplit()(text, at_start) for piece in _cut(word, alone=_is_punctuation)]


@dataclass(frozen=True)
class WhitespaceSplit:
    """What stands between blanks."""

    def __call__(self, text: str, at_start: bool) -> list[str]:
        """The pieces."""
        return [piece for piece in BLANK.split(text) if piece]


@dataclass(frozen=True)
class Metaspace:
    """Spaces made visible as `▁`, with one put before the text, and a cut before each.

    Source: Kudo and Richardson 2018, the SentencePiece tool.
    """

    replacement: str = "▁"
    prepend_scheme: Literal["always", "first", "never"] = "always"
    split: bool = True

    def __call__(self, text: str, at_start: bool) -> list[str]:
        """The pieces."""
        text = text.replace(" ", self.replacement)
        wanted = self.prepend_scheme == "always" or (self.prepend_scheme == "first" and at_start)
        if wanted and not text.startswith(self.replacement):
            text = self.replacement + text
        if not self.split:
            return [text]
        words = text.split(self.replacement)
        return [words[0]] * bool(words[0]) + [self.replacement + word for word in words[1:]]


@dataclass(frozen=True)
class SplitSequence:
    """One way to cut after the other: the second cuts the pieces of the first."""

    pretokenizers: tuple["Splitter", ...]

    def __call__(self, text: str, at_start: bool) -> list[str]:
        """The pieces."""
        pieces = [(text, at_start)]
        for cut in self.pretokenizers:
            pieces = [
                (small, first and rank == 0 and large.startswith(small))
                for large, first in pieces
                for rank, small in enumerate(cut(large, first))
            ]
        return [piece for piece, _ in pieces]


Splitter: TypeAlias = ByteLevel | Split | BertPreTokenizer | WhitespaceSplit | Metaspace | SplitSequence


def _cut(word: str, alone: Callable[[str], bool]) -> list[str]:
    """The word's characters, those that stand alone alone and the others joined."""
    pieces: list[str] = []
    joins = False  # whether the next character may join the last piece
    for letter in word:
        if joins and not alone(letter):
            pieces[-1] += letter
        else:
            pieces.append(letter)
        joins = not alone(letter)
    return pieces


def _is_punctuation(letter: str) -> bool:
    # ASCII's $ + < = > ^ ` | ~ count too, though Unicode calls them symbols
    return letter in string.punctuation or unicodedata.category(letter).startswith("P")
