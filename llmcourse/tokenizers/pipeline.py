"""A tokenizer of any family is four steps: normalise the text, split it, number the pieces, add special tokens."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeAlias

from llmcourse.tokenizers.added import AddedToken, Finder
from llmcourse.tokenizers.alphabet import lacking_letters, spell, to_bytes
from llmcourse.tokenizers.bpe_model import BPE
from llmcourse.tokenizers.decoders import ByteLevelDecoder, Decoder
from llmcourse.tokenizers.normalize import Normalizer
from llmcourse.tokenizers.splits import ByteLevel, SplitSequence, Splitter
from llmcourse.tokenizers.template import Encoded, Template
from llmcourse.tokenizers.unigram import Unigram
from llmcourse.tokenizers.wordpiece import WordPiece

Model: TypeAlias = BPE | WordPiece | Unigram

MAX_CACHED_PIECES = 2**16


class Tokenizer:
    """Text to ids and back, in the four steps."""

    def __init__(
        self,
        model: Model,
        *,
        normalizer: Normalizer | None = None,
        splitter: Splitter | None = None,
        template: Template | None = None,
        decoder: Decoder | None = None,
        added: Iterable[AddedToken] = (),
    ) -> None:
        """A tokenizer of these steps; without a decoder, tokens are joined with spaces.

        Raises: ValueError when two tokens share an id or a name, or the template or the byte level lacks a token.
        """
        self.model, self.normalizer, self.splitter, self.decoder = model, normalizer, splitter, decoder
        self.template = template or Template()
        self.added = tuple(added)
        self.vocabulary = _joined(model, self.added)
        self._tokens = {number: token for token, number in self.vocabulary.items()}
        _check_bytes(model, splitter)
        for name in self.template.specials:
            if name not in self.vocabulary:
                raise ValueError(f"The template needs the token {name!r}, which is not in the vocabulary.")
        if isinstance(decoder, ByteLevelDecoder):
            self._tokens |= {token.id: spell(to_bytes(token.content)) for token in self.added}
        self._before = Finder(token for token in self.added if not token.normalized)
        self._after = Finder(_rewritten(token, normalizer) for token in self.added if token.normalized)
        self._cache: dict[str, list[int]] = {}

    def encode(self, text: str, allow_special: bool = False) -> list[int]:
        """The ids of the text alone, without the template; specials in it are ordinary characters unless allowed.

        Raises: ValueError when the model cannot write the text.
        """
        ids: list[int] = []
        for raw, at_start, found in self._before.stretches(text, allow_special, at_start=True):
            if found is not None:
                ids.append(found.id)
                continue
            stretch = raw if self.normalizer is None else self.normalizer(raw)
            for part, still_at_start, token in self._after.stretches(stretch, allow_special, at_start):
                ids.extend(self._encode_stretch(part, still_at_start) if token is None else [token.id])
        return ids

    def encode_for_model(self, text: str, second: str | None = None, allow_special: bool = False) -> Encoded:
        """The ids of one text or a pair, with the family's special tokens around them."""
        other = None if second is None else self.encode(second, allow_special)
        return self.template.fill(self.special_id, self.encode(text, allow_special), other)

    def pieces(self, text: str, at_start: bool = True) -> list[str]:
        """What the model gets to see of a text without added tokens: normalised and split."""
        return self._split(text if self.normalizer is None else self.normalizer(text), at_start)

    def _split(self, text: str, at_start: bool) -> list[str]:
        if not text:
            return []
        return [text] if self.splitter is None else self.splitter(text, at_start)

    def _encode_stretch(self, text: str, at_start: bool) -> list[int]:
        ids: list[int] = []
        for piece in self._split(text, at_start):
            if piece not in self._cache:
                if len(self._cache) >= MAX_CACHED_PIECES:
                    self._cache.clear()
                self._cache[piece] = self.model.encode(piece)
            ids.extend(self._cache[piece])
        return ids

    def decode(self, ids: Iterable[int], skip_special: bool = False) -> str:
        """The text that the ids stand for. Raises: ValueError when an id is not in the vocabulary."""
        hidden = {token.id for token in self.added if token.special} if skip_special else set()
        tokens = [self._token(number) for number in ids if number not in hidden]
        return " ".join(tokens) if self.decoder is None else "".join(self.decoder(tokens))

    def tokens(self, ids: Iterable[int]) -> list[str]:
        """The tokens as the vocabulary spells them. Raises: ValueError when an id is not in the vocabulary."""
        return [self._token(number) for number in ids]

    def _token(self, number: int) -> str:
        token = self._tokens.get(int(number))
        if token is None:
            raise ValueError(f"No token has the id {int(number)}; ids go from 0 to {self.vocab_size - 1}.")
        return token

    @property
    def vocab_size(self) -> int:
        """One more than the greatest id: how many rows a table of embeddings needs."""
        return max(self._tokens, default=-1) + 1

    @property
    def specials(self) -> dict[str, int]:
        """Each special token with its id."""
        return {token.content: token.id for token in self.added if token.special}

    def special_id(self, special: str) -> int:
        """The id of a token by its name. Raises: ValueError listing the specials when there is no such token."""
        if special not in self.vocabulary:
            raise ValueError(f"The specials are {list(self.specials)}, got {special!r}.")
        return self.vocabulary[special]

    def __repr__(self) -> str:
        return f"Tokenizer({type(self.model).__name__}, vocab_size={self.vocab_size}, specials={list(self.specials)})"


def _rewritten(token: AddedToken, normalizer: Normalizer | None) -> AddedToken:
    return token if normalizer is None else replace(token, content=normalizer(token.content))


def _joined(model: Model, added: Sequence[AddedToken]) -> dict[str, int]:
    vocabulary = dict(model.vocabulary)
    for token in added:
        if not token.content:
            raise ValueError("A special token must hold at least one character.")
        if vocabulary.setdefault(token.content, token.id) != token.id:
            raise ValueError(f"The token {token.content!r} has two ids: {vocabulary[token.content]} and {token.id}.")
    names: dict[int, str] = {}
    for name, number in vocabulary.items():
        if names.setdefault(number, name) != name:
            raise ValueError(f"The tokens {names[number]!r} and {name!r} have the same id {number}.")
    return vocabulary


def _check_bytes(model: Model, splitter: Splitter | None) -> None:
    last = splitter.pretokenizers[-1] if isinstance(splitter, SplitSequence) and splitter.pretokenizers else splitter
    if isinstance(last, ByteLevel) and isinstance(model, BPE) and model.unknown is None:
        lacking = lacking_letters(model.vocabulary)
        if lacking:
            raise ValueError(
                f"A byte-level vocabulary must hold all 256 bytes, but it lacks {len(lacking)}, the first {lacking[0]}."
            )
