"""The microworld: a small invented place whose stories have exactly known probabilities."""

from llmcourse.world.language import Language
from llmcourse.world.oracle import TokenOracle
from llmcourse.world.recipes import cook
from llmcourse.world.tasks import (
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
from llmcourse.world.world import Dials, Document, Floor, Parse, World

__all__ = [
    "ArithmeticRecord",
    "ChatRecord",
    "ChatTurn",
    "Dials",
    "Document",
    "EntityRecord",
    "Floor",
    "InstructionRecord",
    "Language",
    "MoodRecord",
    "ParaphraseRecord",
    "Parse",
    "PreferenceRecord",
    "QuestionRecord",
    "RecipeRecord",
    "Span",
    "SummaryRecord",
    "TokenOracle",
    "TranslationRecord",
    "World",
    "cook",
]
