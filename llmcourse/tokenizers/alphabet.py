"""Bytes written as characters that can be seen, so that a vocabulary of bytes fits into a text file."""

from collections.abc import Iterable


def _byte_letters() -> dict[int, str]:
    letters = {byte: chr(byte) for byte in range(256) if chr(byte).isprintable() and chr(byte) != " "}
    for byte in range(256):
        if byte not in letters:
            letters[byte] = chr(256 + len(letters) - N_PRINTABLE)
    return letters


N_PRINTABLE = 188  # of the 256 characters of Latin-1, blanks and controls left out
LETTERS = _byte_letters()
BYTES = {letter: byte for byte, letter in LETTERS.items()}


def to_bytes(text: str) -> bytes:
    """The text in UTF-8. Raises: ValueError when it holds half of a surrogate pair, which UTF-8 cannot write."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        lone = text[error.start]
        raise ValueError(f"Text must be valid Unicode, but it holds the lone surrogate {lone!r}.") from error


def spell(content: bytes) -> str:
    """One visible character for each byte: itself if it can be seen, else one from U+0100 on; a space is `Ġ`.

    Source: Radford et al. 2019, the released encoder.
    """
    return "".join(LETTERS[byte] for byte in content)


def unspell(token: str) -> bytes:
    """The bytes that the characters stand for; a token with a character that stands for none is itself, in UTF-8."""
    if any(letter not in BYTES for letter in token):
        return token.encode("utf-8")
    return bytes(BYTES[letter] for letter in token)


def lacking_letters(tokens: Iterable[str]) -> list[int]:
    """The bytes whose character is no token."""
    known = set(tokens)
    return [byte for byte in range(256) if LETTERS[byte] not in known]
