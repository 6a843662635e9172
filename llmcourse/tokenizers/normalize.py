"""Before a text is cut, a normaliser may rewrite it: lower case, no accents, one way to spell each character."""

import unicodedata
from dataclasses import dataclass
from typing import Literal, TypeAlias

import regex

# The blocks of Chinese characters that BERT's tokenizer puts spaces around; kana and Korean are not among them.
# Source: Devlin et al. 2019, the released code.
CHINESE = regex.compile(
    "[\u4e00-\u9fff\u3400-\u4dbf\U00020000-\U0002a6df\U0002a700-\U0002b73f\U0002b740-\U0002b81f"
    "\U0002b920-\U0002ceaf\uf900-\ufaff\U0002f800-\U0002fa1f]"
)
BLANK = regex.compile(r"\s")


@dataclass(frozen=True)
class Regex:
    """A pattern that is a regular expression."""

    source: str

    def compiled(self) -> "regex.Pattern[str]":
        """The pattern, ready to search. Raises: ValueError when it is no regular expression."""
        try:
            return regex.compile(self.source)
        except regex.error as error:
            raise ValueError(f"The pattern must be a regular expression ({error}): {self.source!r}.") from error


@dataclass(frozen=True)
class Literally:
    """A pattern that stands for itself."""

    source: str

    def compiled(self) -> "regex.Pattern[str]":
        """The pattern, ready to search."""
        return regex.compile(regex.escape(self.source))


@dataclass(frozen=True)
class BertNormalizer:
    """Tidy blanks and controls, space out Chinese characters, strip accents, make lower case."""

    clean_text: bool = True
    handle_chinese_chars: bool = True
    strip_accents: bool | None = None  # None follows `lowercase`
    lowercase: bool = True

    def __call__(self, text: str) -> str:
        """The text, rewritten."""
        if self.clean_text:
            text = "".join(" " if BLANK.match(letter) else letter for letter in text if not _is_control(letter))
        if self.handle_chinese_chars:
            text = CHINESE.sub(r" \g<0> ", text)
        if self.lowercase if self.strip_accents is None else self.strip_accents:
            text = "".join(letter for letter in _decompose(text) if unicodedata.category(letter) != "Mn")
        return Lowercase()(text) if self.lowercase else text


@dataclass(frozen=True)
class UnicodeForm:
    """One spelling where Unicode has several: composed (NFC) or in parts (NFD), with K also for look-alikes."""

    form: Literal["NFC", "NFD", "NFKC", "NFKD"]

    def __call__(self, text: str) -> str:
        """The text, rewritten."""
        return unicodedata.normalize(self.form, text)


@dataclass(frozen=True)
class Lowercase:
    """Small letters."""

    def __call__(self, text: str) -> str:
        """The text, rewritten."""
        # letter by letter: the whole string would get a different sigma at the end of a Greek word
        return "".join(letter.lower() for letter in text)


@dataclass(frozen=True)
class StripAccents:
    """No combining marks; letters that are one character with their accent stay as they are."""

    def __call__(self, text: str) -> str:
        """The text, rewritten."""
        return "".join(letter for letter in text if not unicodedata.category(letter).startswith("M"))


@dataclass(frozen=True)
class Replace:
    """Something else for every match of a pattern."""

    pattern: Regex | Literally
    content: str

    def __call__(self, text: str) -> str:
        """The text, rewritten."""
        return self.pattern.compiled().sub(lambda _: self.content, text)


@dataclass(frozen=True)
class Prepend:
    """Something in front of every text that is not empty."""

    prepend: str

    def __call__(self, text: str) -> str:
        """The text, rewritten."""
        return self.prepend + text if text else text


@dataclass(frozen=True)
class NormalizerSequence:
    """One normaliser after the other."""

    normalizers: tuple["Normalizer", ...]

    def __call__(self, text: str) -> str:
        """The text, rewritten."""
        for normalizer in self.normalizers:
            text = normalizer(text)
        return text


Normalizer: TypeAlias = BertNormalizer | UnicodeForm | Lowercase | StripAccents | Replace | Prepend | NormalizerSequence


def _decompose(text: str) -> str:
    return unicodedata.normalize("NFD", text)


def _is_control(letter: str) -> bool:
    # U+FFFD stands where bytes could not be read
    return letter in "\0\ufffd" or (letter not in "\t\n\r" and unicodedata.category(letter) in ("Cc", "Cf", "Co"))
