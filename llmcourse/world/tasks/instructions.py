"""Moods of stories, and instructions about stories and about the facts of the world."""

from random import Random
from typing import TYPE_CHECKING

from llmcourse.world.people import Person
from llmcourse.world.tasks.records import InstructionRecord, MoodRecord
from llmcourse.world.tasks.telling import pick

if TYPE_CHECKING:
    from llmcourse.world.world import World


def mood_record(world: "World", random: Random) -> MoodRecord:
    """One story with its mood."""
    document = world.draw(random)
    return MoodRecord(document.text, document.labels["mood"])


def instruction_record(world: "World", random: Random) -> InstructionRecord:
    """One question: every third about a fact of the world, the others about a story."""
    if int(random.random() * 3) == 0:
        kind, question, answer = _fact(world, random)
        return InstructionRecord(question, answer, question, kind)
    document = world.draw(random)
    kind, question, answer = pick(random, document.labels["questions"])
    return InstructionRecord(question, answer, f"{document.text} {question}", kind)


def _fact(world: "World", random: Random) -> tuple[str, str, str]:
    person = pick(random, world.people)
    facts = (
        ("job", f"What does {person} do for a living?", f"{person} is {person.job.forms['a']}."),
        ("place", f"Where does {person} work?", f"{person} works {person.job.at}."),
        ("quirk", f"What is {person} known for?", f"{person} is the one {person.quirk.clause}."),
        ("job", f"Is {person} {_other_job(world, person, random)}?", ""),
    )
    kind, question, answer = pick(random, facts)
    if not answer:
        answer = f"No, {person} is {person.job.forms['a']}."
        if int(random.random() * 2):
            question, answer = f"Is {person} {person.job.forms['a']}?", f"Yes, {person} is {person.job.forms['a']}."
    return kind, question, answer


def _other_job(world: "World", person: Person, random: Random) -> str:
    return pick(random, [p.job for p in world.people if p.job is not person.job]).forms["a"]
