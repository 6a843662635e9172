"""Translation: English sentences and what they are in the language of the world."""

from random import Random
from typing import TYPE_CHECKING

from llmcourse.world.language import (
    ADJECTIVES,
    COUNTS,
    GIVING_VERBS,
    PLURAL,
    TENSES,
    VERBS,
    NounPhrase,
    Sentence,
    english,
)
from llmcourse.world.lexicon import DAYS, PLACES
from llmcourse.world.tasks.records import TranslationRecord
from llmcourse.world.tasks.telling import pick, shuffled

if TYPE_CHECKING:
    from llmcourse.world.world import World

_VERBS, _GIVING, _NOUNS = tuple(VERBS), tuple(GIVING_VERBS), tuple(PLURAL)


def translation_record(world: "World", random: Random) -> TranslationRecord:
    """One sentence about people and things of the world, in English and in the world's own `Language`."""
    sentence = draw_sentence(world, random)
    return TranslationRecord(english(sentence), world.language.translate(sentence))


def draw_sentence(world: "World", random: Random) -> Sentence:
    """One sentence; half of them have a place, half a day, and one in four is negated."""
    subject, other, owner = (person.name for person in shuffled(random, world.people)[:3])
    is_giving = int(random.random() * 2) == 0
    return Sentence(
        verb=pick(random, _GIVING if is_giving else _VERBS),
        subject=subject,
        object=NounPhrase(
            noun=pick(random, _NOUNS),
            n=pick(random, COUNTS) if int(random.random() * 2) else 1,
            adjective=pick(random, ADJECTIVES) if int(random.random() * 2) else "",
            owner=owner if int(random.random() * 4) == 0 else "",
        ),
        recipient=other if is_giving else "",
        place=str(pick(random, PLACES)) if int(random.random() * 2) else "",
        day=pick(random, DAYS) if int(random.random() * 2) else "",
        tense=pick(random, TENSES),
        is_negated=int(random.random() * 4) == 0,
    )
