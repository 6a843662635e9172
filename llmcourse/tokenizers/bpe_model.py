"""Byte-pair encoding as other libraries write it down: a numbered vocabulary of strings, and merges in their order."""

import heapq
from collections.abc import Mapping, Sequence
from itertools import pairwise

StringPair = tuple[str, str]


class BPE:
    """Merges applied to the characters of a piece; the vocabulary says which id each result has."""

    def __init__(
        self,
        vocabulary: Mapping[str, int],
        merges: Sequence[StringPair],
        unknown: str | None = None,
        fuse_unknown: bool = False,
        byte_fallback: bool = False,
        whole_first: bool = False,
    ) -> None:
        """A model with these tokens and merges, first learned first.

        A character that is no token becomes its bytes, tokens such as `<0xE7>`, under `byte_fallback`, or else
        `unknown`, once for each run of them under `fuse_unknown`. `whole_first` takes a piece that is a token as it is.
        Raises: ValueError when a merge is of, or makes, what is no token, or repeats.
        """
        self.vocabulary = dict(vocabulary)
        self.merges = list(merges)
        self.unknown, self.fuse_unknown = unknown, fuse_unknown
        self.byte_fallback, self.whole_first = byte_fallback, whole_first
        self._ranks = {pair: rank for rank, pair in enumerate(self.merges)}
        for pair in self.merges:
            for token in (*pair, "".join(pair)):
                if token not in self.vocabulary:
                    raise ValueError(
                        f"The merges must fit the vocabulary, but {pair} needs {token!r}, which is no token."
                    )
        if len(self._ranks) != len(self.merges):
            repeated = next(pair for rank, pair in enumerate(self.merges) if self._ranks[pair] != rank)
            raise ValueError(f"A pair may merge only once: {repeated} repeats.")
        if unknown is not None and unknown not in self.vocabulary:
            raise ValueError(f"The token for what is unknown must be in the vocabulary, but {unknown!r} is not.")

    def encode(self, piece: str) -> list[int]:
        """The ids of the piece. Raises: ValueError for a character that is no token when there is none for unknown."""
        if self.whole_first and piece in self.vocabulary:
            return [self.vocabulary[piece]]
        return [self.vocabulary[token] for token in self._merged(self._symbols(piece))]

    def _symbols(self, piece: str) -> list[str]:
        symbols: list[str] = []
        for letter in piece:
            spelled = [letter] if letter in self.vocabulary else self._spelled(letter)
            fuses = self.fuse_unknown and spelled == [self.unknown] and symbols[-1:] == spelled
            symbols.extend([] if fuses else spelled)
        return symbols

    def _spelled(self, letter: str) -> list[str]:
        in_bytes = [f"<0x{byte:02X}>" for byte in letter.encode("utf-8", errors="surrogatepass")]
        if self.byte_fallback and all(token in self.vocabulary for token in in_bytes):
            return in_bytes
        if self.unknown is None:
            raise ValueError(f"The vocabulary has no token for {letter!r}, and none for what is unknown.")
        return [self.unknown]

    def _merged(self, symbols: list[str]) -> list[str]:
        """The symbols after all merges that fit, one at a time: earliest learned first, then leftmost.

        A heap holds the merges that wait; each merged symbol leaves an empty one behind, and links skip those.
        """
        before, after = list(range(-1, len(symbols) - 1)), [*range(1, len(symbols)), -1]
        waiting = [
            (self._ranks[pair], place, "".join(pair))
            for place, pair in enumerate(pairwise(symbols))
            if pair in self._ranks
        ]
        heapq.heapify(waiting)
        while waiting:
            _, place, merged = heapq.heappop(waiting)
            right = after[place]
            if not symbols[place] or right < 0 or symbols[place] + symbols[right] != merged:
                continue  # one of the two has merged with its other neighbour
            symbols[place], symbols[right] = merged, ""
            after[place] = after[right]
            if after[place] >= 0:
                before[after[place]] = place
            for left in (before[place], place):
                pair = (symbols[left], symbols[after[left]]) if left >= 0 and after[left] >= 0 else None
                if pair in self._ranks:
                    heapq.heappush(waiting, (self._ranks[pair], left, "".join(pair)))
        return [symbol for symbol in symbols if symbol]
