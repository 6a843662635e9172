"""The language of a world: a small invented one, with words and a word order of its own and six rules of grammar."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from llmcourse.world.lexicon import DAYS, ITEMS, PLACES, THINGS, a_or_an
from llmcourse.world.template import number_word, words_of
from llmcourse.world.weights import stable_order, stable_random

TENSES = ("past", "future")
# each verb in the plain form, which "will" and "did not" ask for, and in the past
VERBS = dict(
    pair.split(":")
    for pair in words_of(
        "see:saw find:found hide:hid wash:washed count:counted carry:carried drop:dropped mend:mended want:wanted "
        "lose:lost paint:painted praise:praised"
    )
)
GIVING_VERBS = dict(pair.split(":") for pair in words_of("give:gave lend:lent sell:sold show:showed send:sent"))
PAST = VERBS | GIVING_VERBS
ADJECTIVES = words_of("old new small big red blue heavy clean strange plain wet round")
PLURAL = {thing.key: f"{thing.key}s" for thing in THINGS} | {item.one: item.many for item in ITEMS}
COUNTS = range(2, 13)
_ORDERS = ("verb subject object", "verb object subject", "object verb subject", "subject object verb")


@dataclass(frozen=True)
class NounPhrase:
    """So many things of a kind, perhaps with an adjective, perhaps somebody's."""

    noun: str
    n: int = 1
    adjective: str = ""
    owner: str = ""


@dataclass(frozen=True)
class Sentence:
    """What a sentence says; empty parts are left unsaid. People go by their names."""

    verb: str
    subject: str
    object: NounPhrase
    recipient: str = ""
    place: str = ""
    day: str = ""
    tense: str = "past"
    is_negated: bool = False


def english(sentence: Sentence) -> str:
    """The sentence in English, such as "On Monday Mara did not give Odo two red kettles at the bridge."."""
    done, undone = ("will", "will not") if sentence.tense == "future" else ("", "did not")
    helper = undone if sentence.is_negated else done
    verb = f"{helper} {sentence.verb}" if helper else PAST[sentence.verb]
    parts = [
        f"On {sentence.day}" if sentence.day else "",
        sentence.subject,
        verb,
        sentence.recipient,
        _english_phrase(sentence.object),
        f"at the {sentence.place}" if sentence.place else "",
    ]
    return " ".join(part for part in parts if part) + "."


def _english_phrase(phrase: NounPhrase) -> str:
    noun = phrase.noun if phrase.n == 1 else PLURAL[phrase.noun]
    described = f"{phrase.adjective} {noun}".strip()
    if phrase.owner:
        return f"{phrase.owner}'s {described if phrase.n == 1 else f'{number_word(phrase.n)} {described}'}"
    return a_or_an(described) if phrase.n == 1 else f"{number_word(phrase.n)} {described}"


class Language:
    """The language of the world with this seed: the same seed, the same words and order. Its grammar:

    1. Verb, subject and object come in the world's own `order`, which is never that of English. To whom, where and when
       follow, in this order.
    2. A verb is a stem and the mark of its tense, as one word. The word for "not" stands right after it.
    3. The noun comes first in its phrase; after it come the adjective, the number and the owner.
    4. A noun takes the mark of the plural wherever a number follows. One thing has no number, and nothing an article.
    5. An owner stands after the word for "of", a recipient after that for "to", a place after that for "at".
    6. Names stay as they are. A day stands alone.

    Each sentence has one translation and each translation is that of one sentence: `read` undoes `translate`.
    """

    def __init__(self, seed: int) -> None:
        self.order: tuple[str, ...] = tuple(stable_order(_ORDERS, seed, "word order")[0].split(" "))
        coin = _Mint(stable_random("language", seed))
        self.marks = {mark: coin.mark() for mark in (*TENSES, "plural")}
        self.words = {word: coin.word(1) for word in ("not", "of", "to", "at")}
        self.verbs = {verb: coin.word(2, *(self.marks[tense] for tense in TENSES)) for verb in PAST}
        self.nouns = {noun: coin.word(2, "", self.marks["plural"]) for noun in PLURAL}
        self.adjectives = {adjective: coin.word(2) for adjective in ADJECTIVES}
        self.numbers = {n: coin.word(1) for n in COUNTS}
        self.places = {str(place): coin.word(2) for place in PLACES}
        self.days = {day: coin.word(2) for day in DAYS}

    def translate(self, sentence: Sentence) -> str:
        """The sentence in the language, all in lower case but for names, and without a full stop."""
        verb = self.verbs[sentence.verb] + self.marks[sentence.tense]
        parts = {
            "verb": [verb, self.words["not"]] if sentence.is_negated else [verb],
            "subject": [sentence.subject],
            "object": self._phrase(sentence.object),
        }
        words = [word for part in self.order for word in parts[part]]
        words += [self.words["to"], sentence.recipient] if sentence.recipient else []
        words += [self.words["at"], self.places[sentence.place]] if sentence.place else []
        words += [self.days[sentence.day]] if sentence.day else []
        return " ".join(words)

    def _phrase(self, phrase: NounPhrase) -> list[str]:
        words = [self.nouns[phrase.noun] + (self.marks["plural"] if phrase.n > 1 else "")]
        words += [self.adjectives[phrase.adjective]] if phrase.adjective else []
        words += [self.numbers[phrase.n]] if phrase.n > 1 else []
        return words + ([self.words["of"], phrase.owner] if phrase.owner else [])

    def read(self, text: str) -> Sentence:
        """The sentence whose translation `text` is.

        Raises: ValueError naming the first word that the grammar does not allow.
        """
        return _Reader(self, text).sentence()


class _Mint:
    """Coins pronounceable words, each a new one, from sounds that the language chooses first."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._consonants = self._some("ptkbdgmnlrsvzfhjw", 10)
        self._vowels = self._some("aeiou", 4)
        known = [*PAST, *PAST.values(), *PLURAL, *PLURAL.values(), *ADJECTIVES, *PLACES]
        self._taken = set(words_of(" ".join(known) + " on at the a an did not will to of"))
        self._taken |= {number_word(n) for n in COUNTS}

    def _some(self, sounds: str, n: int) -> list[str]:
        left = list(sounds)
        return [left.pop(int(self._random.random() * len(left))) for _ in range(n)]

    def _sound(self, sounds: Sequence[str]) -> str:
        return sounds[int(self._random.random() * len(sounds))]

    def mark(self) -> str:
        """An ending of a vowel and a consonant."""
        return self._new(lambda: self._sound(self._vowels) + self._sound(self._consonants), ("",))

    def word(self, n_syllables: int, *endings: str) -> str:
        """A stem of so many syllables; with each of `endings` it is a word that no other stem makes."""
        return self._new(lambda: self._stem(n_syllables), endings or ("",))

    def _stem(self, n_syllables: int) -> str:
        syllables = [self._sound(self._consonants) + self._sound(self._vowels) for _ in range(n_syllables)]
        return "".join(syllables) + self._sound(self._consonants)

    def _new(self, coin: Callable[[], str], endings: Sequence[str]) -> str:
        while True:
            stem = coin()
            forms = {stem + ending for ending in endings}
            if not forms & self._taken:
                self._taken |= forms
                return stem


class _Reader:
    """Reads a translation from left to right; the next word alone decides which rule applies."""

    def __init__(self, language: Language, text: str) -> None:
        self._language, self._words, self._at = language, text.split(" "), 0
        of = language.marks
        self._verbs = {stem + of[t]: (verb, t) for verb, stem in language.verbs.items() for t in TENSES}
        self._nouns = {stem: (noun, False) for noun, stem in language.nouns.items()}
        self._nouns |= {stem + of["plural"]: (noun, True) for noun, stem in language.nouns.items()}

    def sentence(self) -> Sentence:
        """The whole text as one sentence."""
        found: dict[str, Any] = {}
        for part in self._language.order:
            found |= {"verb": self._verb, "subject": self._subject, "object": self._object}[part]()
        found["recipient"] = self._name() if self._skip("to") else ""
        found["place"] = self._take(_turned(self._language.places)) if self._skip("at") else ""
        days = _turned(self._language.days)
        found["day"] = self._take(days) if self._next() in days else ""
        if self._at < len(self._words):
            raise self._refusal()
        return Sentence(**found)

    def _verb(self) -> dict[str, Any]:
        verb, tense = self._take(self._verbs)
        return {"verb": verb, "tense": tense, "is_negated": self._skip("not")}

    def _subject(self) -> dict[str, Any]:
        return {"subject": self._name()}

    def _object(self) -> dict[str, Any]:
        noun, is_plural = self._take(self._nouns)
        adjectives = _turned(self._language.adjectives)
        adjective = self._take(adjectives) if self._next() in adjectives else ""
        n = self._take(_turned(self._language.numbers)) if is_plural else 1
        owner = self._name() if self._skip("of") else ""
        return {"object": NounPhrase(noun, n, adjective, owner)}

    def _next(self) -> str:
        return self._words[self._at] if self._at < len(self._words) else ""

    def _skip(self, word: str) -> bool:
        found = self._next() == self._language.words[word]
        self._at += found
        return found

    def _name(self) -> str:
        name = self._next()
        if not name.istitle():
            raise self._refusal()
        self._at += 1
        return name

    def _take(self, meanings: Mapping[str, Any]) -> Any:
        word = self._next()
        if word not in meanings:
            raise self._refusal()
        self._at += 1
        return meanings[word]

    def _refusal(self) -> ValueError:
        if self._at == len(self._words):
            return ValueError(f"the sentence is not over: something must follow {self._words[-1]!r}.")
        return ValueError(f"word {self._at + 1}, {self._next()!r}, cannot stand here.")


def _turned(words: Mapping[Any, str]) -> dict[str, Any]:
    return {word: meaning for meaning, word in words.items()}
