"""An assistant that looks facts up: lessons with a register at hand, and an exam about facts that no lesson told."""

import random
from collections.abc import Sequence
from functools import partial

from torch import nn

from llmcourse.finetune.assistant import is_fact, kept_back
from llmcourse.finetune.examples import Accuracy, accuracy
from llmcourse.finetune.sft import Turn
from llmcourse.finetune.tools import Tool, converse
from llmcourse.tokenizers import ByteBPE
from llmcourse.world import InstructionRecord, World
from llmcourse.world.people import Person

KINDS = ("job", "place", "quirk")


def entry(person: Person, kind: str) -> str:
    """What the register says of a person."""
    return {"job": person.job.forms["a"], "place": person.job.at, "quirk": person.quirk.clause}[kind]


def register(world: World) -> dict[str, Tool]:
    """A tool for each kind of fact, which tells it of the person whom a call names."""
    people = {str(person): person for person in world.people}

    def find(kind: str, name: str) -> str:
        if name not in people:
            raise ValueError(f"nobody is called {name}")
        return entry(people[name], kind)

    return {kind: partial(find, kind) for kind in KINDS}


def lookup_lessons(world: World, n: int, seed: int, absent: Sequence[str] = ()) -> list[list[Turn]]:
    """`n` chats of one question, its call, the result and the answer, about anybody but those who are `absent`.

    The register tells something else of a person in each lesson. True facts could be learned by heart, and then the
    model would ask and not listen; and no lesson gives away what the exam asks.
    """
    chance = random.Random(f"look up {seed}")
    people = [person for person in world.people if str(person) not in absent]
    return [_lesson(chance, *chance.sample(people, 3)) for _ in range(n)]


def _lesson(chance: random.Random, person: Person, told: Person, other: Person) -> list[Turn]:
    """A lesson about a person, of whom the register says what is true of `told`."""
    a, at, clause = (entry(told, kind) for kind in KINDS)
    yes = chance.random() < 0.5
    asked = a if yes else entry(other, "job")
    kind, question, answer = chance.choice(
        (
            ("job", f"What does {person} do for a living?", f"{person} is {a}."),
            ("place", f"Where does {person} work?", f"{person} works {at}."),
            ("quirk", f"What is {person} known for?", f"{person} is the one {clause}."),
            ("job", f"Is {person} {asked}?", f"{'Yes' if asked == a else 'No'}, {person} is {a}."),
        )
    )
    return [
        Turn("user", question),
        Turn("call", f"{kind} {person}"),
        Turn("result", entry(told, kind)),
        Turn("assistant", answer),
    ]


def questions_kept_back(world: World, n: int, seed: int) -> list[InstructionRecord]:
    """The questions among `n` of the test split that ask for a fact of somebody who is kept back."""
    absent = kept_back(world)
    records = world.task("instructions", n, split="test", seed=seed)
    return [r for r in records if is_fact(r) and any(name in r.instruction for name in absent)]


def lookup_exam(
    model: nn.Module, tokenizer: ByteBPE, records: Sequence[InstructionRecord], tools: dict[str, Tool]
) -> Accuracy:
    """How many answers are right, letter by letter, with the tools at hand."""
    chats = converse(model, tokenizer, [record.text for record in records], tools)
    return accuracy([turns[-1].text for turns in chats], [record.answer for record in records])
