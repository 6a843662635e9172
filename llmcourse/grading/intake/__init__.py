"""Intake: what students hand in becomes plain, small, readable files, or a line that says why it did not."""

from llmcourse.grading.intake.archive import unpack
from llmcourse.grading.intake.folder import Received, receive
from llmcourse.grading.intake.limits import Limits, Problem
from llmcourse.grading.intake.notebooks import BrokenNotebook, parse, repair
from llmcourse.grading.intake.platforms import Arrival, guess_platform, read_name

__all__ = [
    "Arrival",
    "BrokenNotebook",
    "Limits",
    "Problem",
    "Received",
    "guess_platform",
    "parse",
    "read_name",
    "receive",
    "repair",
    "unpack",
]
