"""The world as a language model over a tokenizer's ids: what a model would say that had nothing left to learn."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from llmcourse.world.world import World

END = "<|end|>"
_N_CHECKED = 8  # documents, on which a tokenizer shows that it goes word by word; later words are looked at in pairs
_ANCHOR = "a"  # any word will do: what the ids of a later word are is seen behind it


class Tokenizer(Protocol):
    """What the oracle asks of a tokenizer; and `specials`, ids by their names, where it is not told the end's id."""

    def encode(self, text: str) -> list[int]:
        """The ids of a text, with no special ids around them."""


@dataclass
class _Branches:
    """The words that can come next, by the ids that they begin with; the end of the document has its own id."""

    following: dict[tuple[int, ...], dict[int, float]] = field(default_factory=dict)
    whole: dict[tuple[int, ...], list[tuple[str, float]]] = field(default_factory=dict)

    def add(self, word: str, ids: tuple[int, ...], p: float) -> None:
        for n, id_ in enumerate(ids):
            after = self.following.setdefault(ids[:n], {})
            after[id_] = after.get(id_, 0.0) + p
        self.whole.setdefault(ids, []).append((word, p))


@dataclass(frozen=True)
class _Reading:
    """One way to read the ids so far: whole words, with their log-probability, then ids of a word that is not whole."""

    words: tuple[str, ...]
    log: float
    begun: tuple[int, ...] = ()


class TokenOracle:
    """Exact next-token probabilities, for documents as models read them: `[end, *tokenizer.encode(text), end]`.

    The truth after some ids is the mass of the documents that go on with a token over the mass of those that begin
    with the ids. Several readings may fit the ids, where "pie" could still become "pies" or case is lost; all count.
    """

    def __init__(self, world: "World", tokenizer: Tokenizer, end: int | None = None) -> None:
        """`end` is the id that stands before and after each document, by default that of "<|end|>".

        Raises: ValueError where the tokenizer has no such special, or does not encode a document word by word.
        """
        self._world, self.tokenizer = world, tokenizer
        self.end = _end_id(tokenizer) if end is None else end
        self._branches = lru_cache(maxsize=2048)(self._find_branches)
        self._spell = lru_cache(maxsize=2**16)(self._find_spelling)
        for document in world.documents(_N_CHECKED, "valid"):
            self._check_words(document.text)

    def probs(self, ids: Sequence[int]) -> dict[int, float]:
        """What can follow `ids`, which begin with the end id, likeliest first.

        Raises: ValueError naming the first position that no document has, or for a tokenizer that does not encode
        word by word.
        """
        return self._following(self._read(ids)[-1]) if len(ids) else {self.end: 1.0}

    def walk(self, ids: Sequence[int]) -> Iterator[dict[int, float]]:
        """After each of `ids` what can follow, as a model's outputs stand beside its inputs.

        Raises: what `probs` does, before the first one comes.
        """
        yield from map(self._following, self._read(ids))

    def _read(self, ids: Sequence[int]) -> list[list[_Reading]]:
        """The readings after each of the ids."""
        ids = [int(id_) for id_ in ids]
        read: list[list[_Reading]] = []
        for place, id_ in enumerate(ids):
            if place == 0:
                now = [_Reading((), 0.0)] if id_ == self.end else []
            elif id_ == self.end and self._may_end(read[-1]):
                raise ValueError(f"position {place}, id {id_}, ends the document: nothing follows it.")
            else:
                now = self._advance(read[-1], id_)
            if not now:
                raise ValueError(self._complaint(ids, place))
            read.append(now)
        return read

    def _may_end(self, readings: list[_Reading]) -> bool:
        return any(self.end in self._branches(r.words).following.get(r.begun, ()) for r in readings)

    def _advance(self, readings: list[_Reading], id_: int) -> list[_Reading]:
        further = []
        for reading in readings:
            branches, begun = self._branches(reading.words), (*reading.begun, id_)
            for word, p in branches.whole.get(begun, ()):
                further.append(_Reading((*reading.words, word), reading.log + math.log(p)))
            if begun in branches.following:
                further.append(_Reading(reading.words, reading.log, begun))
        return further

    def _following(self, readings: list[_Reading]) -> dict[int, float]:
        top = max(reading.log for reading in readings)
        masses: dict[int, float] = {}
        for reading in readings:
            share = math.exp(reading.log - top)
            for id_, p in self._branches(reading.words).following[reading.begun].items():
                masses[id_] = masses.get(id_, 0.0) + share * p
        total = math.fsum(masses.values())
        return {id_: masses[id_] / total for id_ in sorted(masses, key=lambda i: (-masses[i], i))}

    def _find_branches(self, words: tuple[str, ...]) -> _Branches:
        branches = _Branches()
        for word, p in self._world.next_word_probs(" ".join(words)).items():
            branches.add(word, self._spell(words[-1] if words else "", word) if word else (self.end,), p)
        return branches

    def _find_spelling(self, before: str, word: str) -> tuple[int, ...]:
        """The ids of a word behind another one, or of the first word behind ""."""
        encode = self.tokenizer.encode
        if not before:
            ids = encode(word)
        else:
            ids = encode(f"{_ANCHOR} {word}")[len(encode(_ANCHOR)) :]
            if encode(f"{before} {word}") != [*encode(before), *ids]:
                raise ValueError(f"the tokenizer does not encode word by word: {f'{before} {word}'!r} shows it.")
        if not ids or self.end in ids:
            raise ValueError(f"the tokenizer gives each word ids of its own, but {word!r} has {ids}.")
        return tuple(ids)

    def _check_words(self, text: str) -> None:
        words = text.split(" ")
        spelled = [id_ for pair in zip(["", *words], words, strict=False) for id_ in self._spell(*pair)]
        if spelled != self.tokenizer.encode(text):
            raise ValueError(f"the tokenizer does not encode word by word: {text!r} shows it.")

    def _complaint(self, ids: Sequence[int], place: int) -> str:
        if place == 0:
            return f"position 0 is id {ids[0]}, but each document begins with the end id {self.end}."
        return f"position {place}, id {ids[place]}, is in no document: it cannot follow {list(ids[:place][-4:])}."


def _end_id(tokenizer: Tokenizer) -> int:
    specials = getattr(tokenizer, "specials", {})
    if END not in specials:
        raise ValueError(f"documents end with a special, {END!r} unless `end` names its id: specials={list(specials)}.")
    return int(specials[END])
