"""Entities: the words of a story that name people, jobs, places, things, days, weather and numbers."""

from itertools import accumulate
from random import Random
from typing import TYPE_CHECKING, Any

from llmcourse.world.lexicon import DAYS, PLACES, Item, Job, Phrase, Quantity, Thing, Weather
from llmcourse.world.people import Person, Stranger
from llmcourse.world.story import Mention
from llmcourse.world.tasks.records import EntityRecord, Span
from llmcourse.world.tasks.telling import tell
from llmcourse.world.template import render

if TYPE_CHECKING:
    from llmcourse.world.world import World

KINDS = ("person", "job", "place", "thing", "day", "weather", "number")


def entity_record(world: "World", random: Random) -> EntityRecord:
    """One story with its entities: the names, jobs, places, things, days, weather and numbers that the story filled in.

    The story notes them as it tells, so the spans are true without a look at the text. A pronoun is no entity, and
    neither are words that are fixed in a saying, such as the bridge in "The truth walks, and is overtaken at the
    bridge": only what could have been otherwise is.
    """
    story = tell(world, random)
    return EntityRecord(story.text, spans(story.text, story.mentions))


def spans(text: str, mentions: list[Mention]) -> tuple[Span, ...]:
    """The entities among what a story filled in, as characters of its text."""
    starts = [0, *accumulate(len(word) + 1 for word in text.split(" "))]
    found = []
    for mention in mentions:
        first = starts[mention.n_before] + len(mention.prefix)
        for kind, offset, length in named(mention.value, mention.form):
            found.append(Span(first + offset, first + offset + length, kind))
    return tuple(found)


def named(value: Any, form: str) -> list[tuple[str, int, int]]:
    """What a value in this form names: each entity's kind, where it starts in the words of the form, and its length."""
    match value:
        case Person():
            return _named_by_person(value, form)
        case Quantity():
            number = ("number", 0, len(value.forms["n"]))
            counted = _at_end("thing", value.forms[""], value.forms[""].split(" ", 1)[1])
            return {"": [number, counted], "Cap": [number, counted], "n": [number], "N": [number]}.get(form, [])
        case Stranger():
            return [_at_end("job", value.forms[form], value.job.name)] if form in ("", "a", "the", "The") else []
        case Job():
            return [_at_end("job", value.forms[form], value.name)] if form in ("", "a") else _place(value, form)
    kind = kind_of(value)
    if kind is None:
        return []
    words = render(value, form)
    return [_at_end(kind, words, value.forms["one" if form == "one" else ""] if hasattr(value, "forms") else words)]


def kind_of(value: Any) -> str | None:
    """The kind of entity that a value is; None for one that is no entity, such as an excuse."""
    match value:
        case Person():
            return "person"
        case Job():
            return "job"
        case Thing() | Item():
            return "thing"
        case Weather():
            return "weather"
        case bool():
            return None
        case int():
            return "number"
        case Phrase():
            return "place" if value in PLACES else None
        case str():
            return "day" if value in DAYS else None
    return None


def _named_by_person(person: Person, form: str) -> list[tuple[str, int, int]]:
    name = ("person", 0, len(person.name))
    match form:
        case "" | "name" | "poss":
            return [name]
        case "full":
            return [name, _at_end("job", person.forms["full"], person.job.name)]
        case "job":
            return [("job", 0, len(person.job.name))]
        case "mends":
            return [("thing", 0, len(person.job.mends))]
    return _place(person.job, form)


def _place(job: Job, form: str) -> list[tuple[str, int, int]]:
    """The place of a job, without "at the" or "to the"."""
    if form not in ("at", "to"):
        return []
    return [_at_end("place", job.forms[form], job.at.split(" ", 2)[2])]


def _at_end(kind: str, words: str, entity: str) -> tuple[str, int, int]:
    return kind, len(words) - len(entity), len(entity)
