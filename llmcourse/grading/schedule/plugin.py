"""The step of `nbgrader autograde` that runs a submission, in the place of nbgrader's own `Execute`."""

import os
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool, Float, Int, Unicode

from llmcourse.checks.seeds import VARIABLE
from llmcourse.grading.cache import Cache, fingerprint, key_of
from llmcourse.grading.intake.ledger import FOLDER
from llmcourse.grading.schedule.work import Job, printed_notebook, work
from llmcourse.grading.split import Options


class SplitExecute(NbGraderPreprocessor):
    """Executes the student's answers and the instructor's tests apart; what is in the cache is not run again."""

    source_directory = Unicode("solutions", help="Where the instructor's notebooks are").tag(config=True)
    seconds_per_cell = Float(Options.seconds_per_cell, help="A slower cell costs its own points").tag(config=True)
    seconds_in_all = Float(Options.seconds_in_all, help="Seconds that a notebook may take").tag(config=True)
    memory_bytes = Int(Options.memory_bytes, help="Bytes of memory that each process may take").tag(config=True)
    sandbox = Unicode("auto", help="auto, or none to run students' code without any, in so many words").tag(config=True)
    payoffs = Bool(False, help="Run the cells behind the last test too, on which no score hangs").tag(config=True)

    def options(self) -> dict[str, Any]:
        """The split checker's options for this class, as plain data: its secret goes to the tests that need one."""
        return Options(
            seconds_per_cell=self.seconds_per_cell,
            seconds_in_all=self.seconds_in_all,
            memory_bytes=self.memory_bytes,
            sandbox=self.sandbox,
            secret=os.environ.get(VARIABLE),
            payoffs=self.payoffs,
        ).to_json()

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """The notebook with what its cells put out. Called by `nbgrader autograde` in the course folder."""
        of = resources["nbgrader"]
        source = Path(self.source_directory, of["assignment"], f"{of['notebook']}.ipynb").read_text(encoding="utf-8")
        handed_in, options = printed_notebook(nb), self.options()
        cache = Cache(Path(FOLDER, "cache"))
        key = key_of(source, handed_in, options, fingerprint())
        result = cache.get(key) or work(Job(key, of["student"], source, handed_in, options, store=cache.folder))
        if result.notebook is None:
            raise RuntimeError(f"The grader failed on this submission: {result.error}")
        graded = nbformat.reads(result.notebook, as_version=4)
        # other steps follow, and `llmcourse grade` must not take what comes out of them for its own
        graded.metadata.get("llmcourse", {}).pop("result", None)
        return graded, resources
