"""Grades out: into the file that a learning platform gave, or into a plain table."""

from llmcourse.grading.export.canvas import fill_canvas
from llmcourse.grading.export.moodle import fill_moodle
from llmcourse.grading.export.scores import Score, read_scores
from llmcourse.grading.export.tables import Filled, write_plain

__all__ = ["Filled", "Score", "fill_canvas", "fill_moodle", "read_scores", "write_plain"]
