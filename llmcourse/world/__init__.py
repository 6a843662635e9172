"""The microworld: a small invented place whose stories have exactly known probabilities."""

from llmcourse.world.tasks import InstructionRecord, MoodRecord
from llmcourse.world.world import Dials, Document, Floor, Parse, World

__all__ = ["Dials", "Document", "Floor", "InstructionRecord", "MoodRecord", "Parse", "World"]
