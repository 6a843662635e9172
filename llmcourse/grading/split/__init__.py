"""The split checker: a submission's code and the instructor's tests run in two processes, and only values cross.

    execute(source: NotebookNode, handed_in: NotebookNode, options: Options) -> NotebookNode

gives back the notebook that `nbgrader` grades: rebuilt from the instructor's, with outputs and errors filled in.
"""

from llmcourse.grading.split.options import Options

__all__ = ["Options"]
