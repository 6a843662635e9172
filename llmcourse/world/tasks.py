"""Labelled tasks whose answers are true in the world: moods of stories, and instructions about them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from llmcourse.world.weights import stable_random

if TYPE_CHECKING:
    from llmcourse.world.world import World


@dataclass(frozen=True)
class MoodRecord:
    """A story and how its main person takes it; the text never says the label."""

    text: str
    label: str


@dataclass(frozen=True)
class InstructionRecord:
    """An instruction and its true, short answer; `text` is the instruction with its story first, if it has one."""

    instruction: str
    answer: str
    text: str
    kind: str = ""


Record = MoodRecord | InstructionRecord


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
    questions = document.labels["questions"]
    kind, question, answer = questions[int(random.random() * len(questions))]
    return InstructionRecord(question, answer, f"{document.text} {question}", kind)


def _fact(world: "World", random: Random) -> tuple[str, str, str]:
    person = world.people[int(random.random() * len(world.people))]
    facts = (
        ("job", f"What does {person} do for a living?", f"{person} is {person.job.forms['a']}."),
        ("place", f"Where does {person} work?", f"{person} works {person.job.at}."),
        ("quirk", f"What is {person} known for?", f"{person} is the one {person.quirk.clause}."),
        ("job", f"Is {person} {_other_job(world, person, random)}?", ""),
    )
    kind, question, answer = facts[int(random.random() * len(facts))]
    if not answer:
        answer = f"No, {person} is {person.job.forms['a']}."
        if int(random.random() * 2):
            question, answer = f"Is {person} {person.job.forms['a']}?", f"Yes, {person} is {person.job.forms['a']}."
    return kind, question, answer


def _other_job(world: "World", person: object, random: Random) -> str:
    jobs = [p.job for p in world.people if p.job is not person.job]  # type: ignore[attr-defined]
    return jobs[int(random.random() * len(jobs))].forms["a"]


TASKS: Mapping[str, Callable[["World", Random], Record]] = {
    "mood": mood_record,
    "instructions": instruction_record,
}


def task_records(world: "World", name: str, n: int, split: str, seed: int) -> list[Record]:
    """`n` records of the task `name`; each (task, split, seed) is its own stream."""
    if name not in TASKS:
        raise ValueError(f"tasks are {', '.join(TASKS)}: {name!r} is not one.")
    random = stable_random("task", name, world.seed, split, seed)
    return [TASKS[name](world, random) for _ in range(n)]
