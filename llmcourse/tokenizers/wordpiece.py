"""WordPiece: a word is cut greedily, the longest token that fits first; tokens inside a word begin with `##`."""

from collections.abc import Mapping


class WordPiece:
    """Greedy longest-match encoding. Source: Devlin et al. 2019, the released code."""

    def __init__(
        self, vocabulary: Mapping[str, int], unknown: str = "[UNK]", prefix: str = "##", max_letters: int = 100
    ) -> None:
        """A model with these tokens; a word of more than `max_letters` characters is unknown.

        Raises: ValueError when `unknown` is no token.
        """
        if unknown not in vocabulary:
            raise ValueError(f"The token for what is unknown must be in the vocabulary, but {unknown!r} is not.")
        self.vocabulary = dict(vocabulary)
        self.unknown, self.prefix, self.max_letters = unknown, prefix, max_letters

    def encode(self, piece: str) -> list[int]:
        """The ids of one word; the unknown one alone where a part of the word fits no token."""
        ids: list[int] = []
        start = 0
        while start < len(piece) <= self.max_letters:
            found = self._longest(piece, start)
            if found is None:
                break
            ids.append(self.vocabulary[found])
            start += len(found) - (len(self.prefix) if start else 0)
        return ids if start == len(piece) else [self.vocabulary[self.unknown]]

    def _longest(self, word: str, start: int) -> str | None:
        for end in range(len(word), start, -1):
            token = (self.prefix if start else "") + word[start:end]
            if token in self.vocabulary:
                return token
        return None
