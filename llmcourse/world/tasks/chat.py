"""Chats about a story or about the people of the world, in which every answer is true."""

from random import Random
from typing import TYPE_CHECKING

from llmcourse.world.people import Person
from llmcourse.world.tasks.facts import FACTS, fact_answer, fact_question, share_fact
from llmcourse.world.tasks.questions import NOT_SAID, left_open
from llmcourse.world.tasks.records import ChatRecord, ChatTurn
from llmcourse.world.tasks.telling import Telling, shuffled, tell

if TYPE_CHECKING:
    from llmcourse.world.world import World

Exchange = tuple[str, str]


def chat_record(world: "World", random: Random) -> ChatRecord:
    """One chat: two in three are about a story, the others about people of the world.

    A chat about a story asks after what the story settles, now and then after somebody who is not in it, and, where
    the last answer was a person, after facts of that person by pronoun alone: to be understood, a turn needs those
    before it. A chat about people asks for facts of one person, then of a second. Half of the chats end in thanks.
    """
    if int(random.random() * 3):
        story = tell(world, random)
        context, exchanges = story.text, _about_story(world, random, story)
    else:
        context, exchanges = "", _about_people(world, random)
    if int(random.random() * 2):
        exchanges.append(("Thank you.", "You are welcome."))
    turns = []
    for i, (said, answer) in enumerate(exchanges):
        turns += [ChatTurn("user", said if i or not context else f"{context} {said}"), ChatTurn("assistant", answer)]
    return ChatRecord(tuple(turns), context)


def sentence(answer: str) -> str:
    """A short answer as a sentence of its own."""
    return answer[0].upper() + answer[1:].rstrip(".") + "."


def _about_story(world: "World", random: Random, story: Telling) -> list[Exchange]:
    by_name = {person.name: person for person in story.cast}
    exchanges: list[Exchange] = []
    for asked in shuffled(random, tuple(story.questions))[: 1 + int(random.random() * 3)]:
        exchanges.append((asked.question, sentence(asked.answer)))
        if asked.answer in by_name and int(random.random() * 2):
            exchanges += _about_person(by_name[asked.answer], random, 1 + int(random.random() * 2))
        elif not int(random.random() * 4):
            exchanges.append((left_open(world, random, story).question, NOT_SAID))
    return exchanges


def _about_person(person: Person, random: Random, n: int) -> list[Exchange]:
    """Facts of a person who was just named, so that a pronoun will do."""
    return [_by_pronoun(kind, person) for kind in shuffled(random, FACTS)[:n]]


def _by_pronoun(kind: str, person: Person) -> Exchange:
    return fact_question(kind, person.forms["he"]), fact_answer(kind, person.forms["He"], person)


def _about_people(world: "World", random: Random) -> list[Exchange]:
    one, other = shuffled(random, world.people)[:2]
    kinds = shuffled(random, FACTS)
    exchanges = [(fact_question(kinds[0], one), fact_answer(kinds[0], one, one))]
    exchanges += [_by_pronoun(kind, one) for kind in kinds[1 : 1 + int(random.random() * 3)]]
    job = one.job.forms["a"]
    yes = f"Yes, {other} is {job} too."
    no = f"No, {other} is {other.job.forms['a']}."
    exchanges.append((f"Is {other} {job} too?", yes if share_fact("job", one, other) else no))
    return exchanges
