"""Labelled tasks whose answers are true in the world, each a stream of plain records."""

from collections.abc import Callable, Mapping
from random import Random
from typing import TYPE_CHECKING

from llmcourse.world.tasks.arithmetic import arithmetic_record
from llmcourse.world.tasks.chat import chat_record
from llmcourse.world.tasks.entities import entity_record
from llmcourse.world.tasks.instructions import instruction_record, mood_record
from llmcourse.world.tasks.paraphrases import paraphrase_record
from llmcourse.world.tasks.preferences import preference_record
from llmcourse.world.tasks.questions import question_record
from llmcourse.world.tasks.recipes import recipe_record
from llmcourse.world.tasks.records import (
    ArithmeticRecord,
    ChatRecord,
    ChatTurn,
    EntityRecord,
    InstructionRecord,
    MoodRecord,
    ParaphraseRecord,
    PreferenceRecord,
    QuestionRecord,
    RecipeRecord,
    Span,
    SummaryRecord,
    TranslationRecord,
)
from llmcourse.world.tasks.summaries import summary_record
from llmcourse.world.tasks.translation import translation_record
from llmcourse.world.weights import stable_random

if TYPE_CHECKING:
    from llmcourse.world.world import World

__all__ = [
    "TASKS",
    "ArithmeticRecord",
    "ChatRecord",
    "ChatTurn",
    "EntityRecord",
    "InstructionRecord",
    "MoodRecord",
    "ParaphraseRecord",
    "PreferenceRecord",
    "QuestionRecord",
    "RecipeRecord",
    "Record",
    "Span",
    "SummaryRecord",
    "TranslationRecord",
    "task_records",
]

Record = (
    MoodRecord
    | EntityRecord
    | QuestionRecord
    | InstructionRecord
    | ChatRecord
    | PreferenceRecord
    | SummaryRecord
    | ParaphraseRecord
    | TranslationRecord
    | ArithmeticRecord
    | RecipeRecord
)

TASKS: Mapping[str, Callable[["World", Random], Record]] = {
    "mood": mood_record,
    "instructions": instruction_record,
    "entities": entity_record,
    "questions": question_record,
    "chat": chat_record,
    "preferences": preference_record,
    "summaries": summary_record,
    "paraphrases": paraphrase_record,
    "translation": translation_record,
    "arithmetic": arithmetic_record,
    "recipes": recipe_record,
}


def task_records(world: "World", name: str, n: int, split: str, seed: int) -> list[Record]:
    """`n` records of the task `name`; each (task, split, seed) is its own stream."""
    if name not in TASKS:
        raise ValueError(f"tasks are {', '.join(TASKS)}: {name!r} is not one.")
    random = stable_random("task", name, world.seed, split, seed)
    return [TASKS[name](world, random) for _ in range(n)]
