"""A tokenizer turns text into a list of numbers and back; this one learns which bytes belong together."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import regex
import tiktoken

from llmcourse.tokenizers import bridge, files
from llmcourse.tokenizers.alphabet import to_bytes
from llmcourse.tokenizers.pairs import N_BYTES, Pair, apply_merges
from llmcourse.tokenizers.pretokenize import GPT2_PATTERN, pretokenize, split_specials
from llmcourse.tokenizers.trainer import learn_merges

MAX_CACHED_PIECES = 2**16


class ByteBPE:
    """Byte-level byte-pair encoding: ids 0 to 255 are the bytes, then come the merges in order, then the specials.

    Source: Sennrich et al. 2016, section 3.2; on bytes, Radford et al. 2019, section 2.2.
    """

    def __init__(self, pairs: Iterable[Pair], specials: Sequence[str] = (), pattern: str = GPT2_PATTERN) -> None:
        """A tokenizer with these merges, given as pairs of ids, and these specials.

        Raises: ValueError when a pair is not of earlier ids, a merge or special repeats, or the pattern is no pattern.
        """
        self._pattern = _checked_pattern(pattern)
        self._bytes = [bytes([value]) for value in range(N_BYTES)]
        self._new_ids: dict[Pair, int] = {}
        for left, right in pairs:
            new_id = len(self._bytes)
            if not (0 <= left < new_id and 0 <= right < new_id):
                raise ValueError(f"A merge may only use earlier ids: ({left}, {right}) is to become {new_id}.")
            if (left, right) in self._new_ids:
                raise ValueError(f"A pair may merge only once: ({left}, {right}) repeats.")
            self._new_ids[left, right] = new_id
            self._bytes.append(self._bytes[left] + self._bytes[right])
        self._specials = _numbered(specials, first_id=len(self._bytes))
        self._bytes += [to_bytes(special) for special in specials]
        self._cache: dict[str, tuple[int, ...]] = {}

    @classmethod
    def train(
        cls, texts: Iterable[str], vocab_size: int, specials: Sequence[str] = (), pattern: str = GPT2_PATTERN
    ) -> "ByteBPE":
        """A tokenizer of at most `vocab_size` ids, its merges learned from the texts.

        The commonest pair merges first; equal counts go to the smallest pair of ids. It has fewer ids when the texts
        run out of pairs. Specials in the texts are left out of the counts.
        Raises: ValueError when `vocab_size` cannot hold the bytes and the specials.
        """
        if isinstance(texts, str):
            raise ValueError("Training takes an iterable of texts, but got one string: put it in a list.")
        n_merges = vocab_size - N_BYTES - len(specials)
        if n_merges < 0:
            raise ValueError(
                f"vocab_size={vocab_size} is too small: 256 bytes and {len(specials)} specials "
                f"need {N_BYTES + len(specials)}."
            )
        _checked_pattern(pattern)
        pieces: Counter[str] = Counter()
        for text in texts:
            for stretch, is_special in split_specials(text, specials):
                if not is_special:
                    pieces.update(pretokenize(stretch, pattern))
        words = {tuple(to_bytes(piece)): count for piece, count in pieces.items()}
        return cls(learn_merges(words, n_merges), specials, pattern)

    def encode(self, text: str, allow_special: bool = False) -> list[int]:
        """The ids of the text; specials in it are ordinary characters unless `allow_special`.

        Raises: ValueError when the text holds half of a surrogate pair, which UTF-8 cannot write.
        """
        ids: list[int] = []
        for stretch, is_special in split_specials(text, list(self._specials) if allow_special else ()):
            if is_special:
                ids.append(self._specials[stretch])
            else:
                for piece in pretokenize(stretch, self._pattern):
                    ids.extend(self._encode_piece(piece))
        return ids

    def _encode_piece(self, piece: str) -> tuple[int, ...]:
        if piece not in self._cache:
            if len(self._cache) >= MAX_CACHED_PIECES:
                self._cache.clear()
            self._cache[piece] = apply_merges(tuple(to_bytes(piece)), self._new_ids)
        return self._cache[piece]

    def decode_bytes(self, ids: Iterable[int]) -> bytes:
        """The bytes that the ids stand for, joined. Raises: ValueError when an id is not in the vocabulary."""
        return b"".join(self.token_bytes(token) for token in ids)

    def decode(self, ids: Iterable[int]) -> str:
        """The text that the ids stand for, with U+FFFD where the bytes are no valid UTF-8.

        The bytes are joined first: one character may be spread over several tokens.
        """
        return self.decode_bytes(ids).decode("utf-8", errors="replace")

    def token_bytes(self, token: int) -> bytes:
        """The bytes that one id stands for. Raises: ValueError when the id is not in the vocabulary."""
        if not 0 <= int(token) < self.vocab_size:
            raise ValueError(f"Ids go from 0 to {self.vocab_size - 1}, got {int(token)}.")
        return self._bytes[int(token)]

    @property
    def vocab_size(self) -> int:
        """How many ids there are: bytes, merges and specials."""
        return len(self._bytes)

    @property
    def merges(self) -> list[tuple[bytes, bytes]]:
        """The merges, first learned first, each as the bytes of its two halves."""
        return [(self._bytes[left], self._bytes[right]) for left, right in self._new_ids]

    @property
    def pairs(self) -> list[Pair]:
        """The merges, first learned first, each as the ids of its two halves."""
        return list(self._new_ids)

    @property
    def specials(self) -> dict[str, int]:
        """Each special token with its id."""
        return dict(self._specials)

    @property
    def pattern(self) -> str:
        """The regular expression that cuts a text into pieces which no merge may cross."""
        return self._pattern

    def special_id(self, special: str) -> int:
        """The id of a special token. Raises: ValueError listing the specials when it is none of them."""
        if special not in self._specials:
            raise ValueError(f"The specials are {list(self._specials)}, got {special!r}.")
        return self._specials[special]

    def save(self, path: str | Path) -> None:
        """Write the tokenizer to one JSON file, all or nothing."""
        files.write_json(path, files.to_dict(self._new_ids, list(self._specials), self._pattern, self.vocab_size))

    @classmethod
    def load(cls, path: str | Path) -> "ByteBPE":
        """The tokenizer that `save` wrote. Raises: ValueError naming the file and what is wrong with it."""
        pairs, specials, pattern = files.read_fields(path)
        try:
            return cls(pairs, specials, pattern)
        except ValueError as error:
            raise ValueError(f"{path} is damaged: {error}") from error

    def to_tiktoken(self, name: str = "llmcourse") -> tiktoken.Encoding:
        """The same tokenizer, run by the tiktoken library: the ids are equal, the speed is not.

        Raises: ValueError for a merge that no text can reach (training never makes one).
        """
        for token in range(N_BYTES, N_BYTES + len(self._new_ids)):
            # tiktoken merges whatever two tokens join to known bytes, so each token must have one way only to arise
            if apply_merges(tuple(self._bytes[token]), self._new_ids) != (token,):
                raise ValueError(f"No text can reach token {token}, {self._bytes[token]!r}: its merge comes too late.")
        ranks = {self._bytes[token]: token for token in range(N_BYTES + len(self._new_ids))}
        return bridge.build_encoding(name, self._pattern, ranks, self._specials)

    def __repr__(self) -> str:
        return f"ByteBPE(vocab_size={self.vocab_size}, merges={len(self._new_ids)}, specials={list(self._specials)})"


def _checked_pattern(pattern: str) -> str:
    try:
        regex.compile(pattern)
    except regex.error as error:
        raise ValueError(f"The pattern must be a regular expression ({error}): {pattern!r}.") from error
    return pattern


def _numbered(specials: Sequence[str], first_id: int) -> dict[str, int]:
    if isinstance(specials, str):
        raise ValueError(f"Specials are a list of strings, but got one string: {specials!r}.")
    if "" in specials:
        raise ValueError("A special token must hold at least one character.")
    numbered = {special: first_id + place for place, special in enumerate(specials)}
    if len(numbered) != len(specials):
        raise ValueError(f"A special token may occur only once: {list(specials)}.")
    return numbered
