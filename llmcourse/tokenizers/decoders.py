"""Ways to join tokens to a text again; they undo what the way of cutting has done to spaces and bytes."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal, TypeAlias

import regex

from llmcourse.tokenizers.alphabet import unspell
from llmcourse.tokenizers.normalize import Literally, Regex

BYTE_TOKEN = regex.compile(r"<0x([0-9A-Fa-f]{2})>")
# Source: the tokenizers library's WordPiece decoder
TIDIER = {
    **{f" {mark}": mark for mark in ".?!,"},
    " ' ": "'",
    " n't": "n't",
    " 'm": "'m",
    " do not": " don't",
    " 's": "'s",
    " 've": "'ve",
    " 're": "'re",
}


@dataclass(frozen=True)
class ByteLevelDecoder:
    """Bytes from their visible characters; U+FFFD where they are no valid UTF-8."""

    def __call__(self, tokens: Sequence[str]) -> list[str]:
        """The tokens, each as it stands in the text."""
        # all bytes first: one character may be spread over several tokens
        return [b"".join(map(unspell, tokens)).decode("utf-8", errors="replace")]


@dataclass(frozen=True)
class WordPieceDecoder:
    """A space before each token that begins a word, and none before punctuation where it can be told."""

    prefix: str = "##"
    cleanup: bool = True

    def __call__(self, tokens: Sequence[str]) -> list[str]:
        """The tokens, each as it stands in the text."""
        return [self._spaced(token, is_first=place == 0) for place, token in enumerate(tokens)]

    def _spaced(self, token: str, is_first: bool) -> str:
        if not is_first:
            token = token.removeprefix(self.prefix) if token.startswith(self.prefix) else f" {token}"
        if self.cleanup:
            for untidy, tidy in TIDIER.items():
                token = token.replace(untidy, tidy)
        return token


@dataclass(frozen=True)
class MetaspaceDecoder:
    """Spaces for `▁`, none at the start where the cutting put one there."""

    replacement: str = "▁"
    prepend_scheme: Literal["always", "first", "never"] = "always"
    split: bool = True  # means nothing here, but tokenizer.json holds it

    def __call__(self, tokens: Sequence[str]) -> list[str]:
        """The tokens, each as it stands in the text."""
        first = " " if self.prepend_scheme == "never" else ""
        return [token.replace(self.replacement, " " if place else first) for place, token in enumerate(tokens)]


@dataclass(frozen=True)
class ByteFallbackDecoder:
    """Characters from tokens such as `<0xE7>`; U+FFFD for each byte of a run that is no valid UTF-8."""

    def __call__(self, tokens: Sequence[str]) -> list[str]:
        """The tokens, each as it stands in the text."""
        texts: list[str] = []
        for is_byte, group in groupby(tokens, key=lambda token: BYTE_TOKEN.fullmatch(token) is not None):
            run = list(group)
            texts.extend(_joined_bytes(run) if is_byte else run)
        return texts


@dataclass(frozen=True)
class ReplaceDecoder:
    """Something else for every match of a pattern, in each token."""

    pattern: Regex | Literally
    content: str

    def __call__(self, tokens: Sequence[str]) -> list[str]:
        """The tokens, each as it stands in the text."""
        return [self.pattern.compiled().sub(lambda _: self.content, token) for token in tokens]


@dataclass(frozen=True)
class StripDecoder:
    """Each token without up to so many of a character at its two ends."""

    content: str
    start: int = 0
    stop: int = 0

    def __call__(self, tokens: Sequence[str]) -> list[str]:
        """The tokens, each as it stands in the text."""
        return [self._stripped(token) for token in tokens]

    def _stripped(self, token: str) -> str:
        for _ in range(self.start):
            token = token.removeprefix(self.content)
        for _ in range(self.stop):
            token = token.removesuffix(self.content)
        return token


@dataclass(frozen=True)
class FuseDecoder:
    """All tokens as one."""

    def __call__(self, tokens: Sequence[str]) -> list[str]:
        """The tokens, each as it stands in the text."""
        return ["".join(tokens)]


@dataclass(frozen=True)
class DecoderSequence:
    """One decoder after the other."""

    decoders: tuple["Decoder", ...]

    def __call__(self, tokens: Sequence[str]) -> list[str]:
        """The tokens, each as it stands in the text."""
        for decoder in self.decoders:
            tokens = decoder(tokens)
        return list(tokens)


Decoder: TypeAlias = (
    ByteLevelDecoder
    | WordPieceDecoder
    | MetaspaceDecoder
    | ByteFallbackDecoder
    | ReplaceDecoder
    | StripDecoder
    | FuseDecoder
    | DecoderSequence
)


def _joined_bytes(tokens: list[str]) -> list[str]:
    content = bytes(int(token[3:5], 16) for token in tokens)
    try:
        return [content.decode("utf-8")]
    except UnicodeDecodeError:
        return ["\ufffd"] * len(content)
