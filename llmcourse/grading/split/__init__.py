"""The split checker: a submission's code and the instructor's tests run in two processes, and only values cross."""

from llmcourse.grading.split.execute import VERSION, execute
from llmcourse.grading.split.lint import lint
from llmcourse.grading.split.options import Options
from llmcourse.grading.split.pair import close

__all__ = ["VERSION", "Options", "close", "execute", "lint"]
