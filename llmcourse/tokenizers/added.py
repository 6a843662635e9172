"""Added tokens: names such as `<|end|>` that are looked for in a text before anything else happens to it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import regex

# what Unicode calls white space; `str.strip` on its own takes four controls more
BLANKS = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))


@dataclass(frozen=True)
class AddedToken:
    """A token that is found in the text before anything else happens to it.

    `lstrip` and `rstrip` take the blanks on that side with it; `normalized` looks for it after normalising.
    """

    content: str
    id: int
    special: bool = True
    lstrip: bool = False
    rstrip: bool = False
    normalized: bool = False


class Finder:
    """Added tokens in a text: the longest that fits wins, and takes the blanks beside it where it may."""

    def __init__(self, tokens: Iterable[AddedToken]) -> None:
        self.tokens = sorted(tokens, key=lambda token: len(token.content), reverse=True)
        self._by_content = {token.content: token for token in self.tokens}
        self._any = _marker(self.tokens)
        self._not_special = _marker([token for token in self.tokens if not token.special])

    def spans(self, text: str, allow_special: bool) -> Iterator[tuple[int, int, AddedToken]]:
        """Where each added token begins and ends, blanks that it takes included; specials only where allowed."""
        marker = self._any if allow_special else self._not_special
        done = 0
        for match in marker.finditer(text) if marker is not None else ():
            token, start, end = self._by_content[match.group()], match.start(), match.end()
            if token.lstrip:
                start = max(len(text[:start].rstrip(BLANKS)), done)
            if token.rstrip:
                end = len(text) - len(text[end:].lstrip(BLANKS))
            yield start, end, token
            done = end

    def stretches(
        self, text: str, allow_special: bool, at_start: bool
    ) -> Iterator[tuple[str, bool, AddedToken | None]]:
        """Stretches of text, each with whether the whole text starts there and the added token that it is, if any."""
        done = 0
        for start, end, token in self.spans(text, allow_special):
            yield text[done:start], at_start and done == 0, None
            yield text[start:end], False, token
            done = end
        yield text[done:], at_start and done == 0, None


def _marker(tokens: list[AddedToken]) -> "regex.Pattern[str] | None":
    return regex.compile("|".join(regex.escape(token.content) for token in tokens)) if tokens else None
