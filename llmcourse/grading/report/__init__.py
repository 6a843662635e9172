"""One page about one assignment: scores, mistakes, and what a person should look at."""

from llmcourse.grading.report.facts import Facts, read_facts
from llmcourse.grading.report.page import page
from llmcourse.grading.report.similar import Pair, similar_pairs

__all__ = ["Facts", "Pair", "page", "read_facts", "similar_pairs"]
