"""Preference pairs: a true answer, and one that is false in a known way."""

from random import Random
from typing import TYPE_CHECKING

from llmcourse.world.lexicon import DAYS, JOBS, PLACES, THINGS
from llmcourse.world.plots.village import HOMES
from llmcourse.world.story import Question
from llmcourse.world.tasks.chat import sentence
from llmcourse.world.tasks.facts import FACTS, fact_answer, fact_question, share_fact
from llmcourse.world.tasks.questions import NOT_SAID, by_name, left_open
from llmcourse.world.tasks.records import PreferenceRecord
from llmcourse.world.tasks.telling import Telling, pick, tell
from llmcourse.world.template import number_word

if TYPE_CHECKING:
    from llmcourse.world.world import World

REASONS = (
    "wrong person",
    "wrong number",
    "wrong day",
    "wrong place",
    "wrong thing",
    "the opposite",
    "off topic",
    "made up",
    "withheld",
    "contradicts a fact",
)
_NUMBERS = tuple(number_word(n) for n in range(1, 100))


def preference_record(world: "World", random: Random) -> PreferenceRecord:
    """One prompt with a true answer and a false one.

    The rejected answer is wrong for the named reason: it is another person, number, day, place or thing, or the
    opposite; it answers another question ("off topic"), or one that the story leaves open ("made up"); it says that
    the story does not say what it does ("withheld"); or it contradicts a fact of the world. It reads as well as the
    true one: only who knows the story or the world can tell. "The story does not say." is as often false as true.
    """
    which = int(random.random() * 10)
    if which < 2:
        return _against_fact(world, random)
    if which < 4:
        return _made_up(world, random)
    if which < 6:
        return _withheld(world, random)
    story = tell(world, random)
    asked = pick(random, story.questions)
    reason, answer = _off_topic(random, story, asked) if which == 6 else ("", "")
    if not answer:
        reason, answer = _wrong(world, random, story, asked)
    return PreferenceRecord(f"{story.text} {asked.question}", sentence(asked.answer), sentence(answer), reason)


def _against_fact(world: "World", random: Random) -> PreferenceRecord:
    person, kind = pick(random, world.people), pick(random, FACTS)
    others = [p for p in world.people if not share_fact(kind, p, person)]
    chosen, rejected = (fact_answer(kind, person, of) for of in (person, pick(random, others)))
    return PreferenceRecord(fact_question(kind, person), chosen, rejected, "contradicts a fact")


def _made_up(world: "World", random: Random) -> PreferenceRecord:
    """The story leaves it open; what is rejected is true of somebody else."""
    story = tell(world, random)
    asked = left_open(world, random, story)
    # somebody who is not in the story did not do it either, so "no" would not be false
    answer = "yes" if asked.kind == "yes-no" else asked.answer
    return PreferenceRecord(f"{story.text} {asked.question}", NOT_SAID, sentence(answer), "made up")


def _withheld(world: "World", random: Random) -> PreferenceRecord:
    """The story settles it, and what is rejected denies that: a question like those left open, of who is in it."""
    story = tell(world, random)
    # "no" is never the made-up answer: beside NOT_SAID it would always be the true one
    open_like = [question for question, _ in by_name(story) if question.answer != "no"]
    asked = pick(random, open_like or story.questions)
    return PreferenceRecord(f"{story.text} {asked.question}", sentence(asked.answer), NOT_SAID, "withheld")


def _off_topic(random: Random, story: Telling, asked: Question) -> tuple[str, str]:
    """The answer to a question of another kind, if the story has one."""
    others = [q.answer for q in story.questions if q.kind != asked.kind and q.answer != asked.answer]
    return ("off topic", pick(random, others)) if others else ("", "")


def _wrong(world: "World", random: Random, story: Telling, asked: Question) -> tuple[str, str]:
    answer = asked.answer
    if asked.kind == "yes-no":
        return "the opposite", "no" if answer == "yes" else "yes"
    if asked.kind == "who":
        # what is handed round may be said of each who had it, so only a stranger to the story is surely wrong
        is_shared = asked.question.startswith("Who had")
        others = [person for person in world.people if person.name != answer]
        told, untold = ([p for p in others if (p in story.cast) == is_told] for is_told in (True, False))
        return "wrong person", pick(random, (untold or told) if is_shared else (told or untold)).name
    if asked.kind == "how many":
        at = _NUMBERS.index(answer)
        near = _NUMBERS[max(0, at - 3) : at] + _NUMBERS[at + 1 : at + 4]
        return "wrong number", pick(random, near)
    if asked.kind == "when":
        return "wrong day", pick(random, [day for day in DAYS if day != answer])
    if asked.kind == "where":
        return "wrong place", pick(random, _places(answer))
    return "wrong thing", pick(random, _things(answer))


def _places(answer: str) -> list[str]:
    """Other places, put as in the answer."""
    at, to = ([f"{way} the {place}" for place in PLACES] for way in ("at", "to"))
    for known in (at, to, [job.at for job in JOBS]):
        if answer in known:
            return [place for place in known if place != answer]
    return [home for home in HOMES if home != answer]


def _things(answer: str) -> list[str]:
    """Other things or jobs, put as in the answer."""
    jobs = [job.name for job in JOBS]
    return [thing for thing in (jobs if answer in jobs else [t.forms["a"] for t in THINGS]) if thing != answer]
