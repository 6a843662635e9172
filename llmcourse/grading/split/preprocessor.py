"""The split checker as a part of nbgrader: it takes the place of `Execute`, and all else stays stock."""

import os
from pathlib import Path

import nbformat
from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Float, Int, Unicode

from llmcourse.checks.seeds import VARIABLE
from llmcourse.grading.split.execute import execute
from llmcourse.grading.split.options import Options


class SplitExecute(NbGraderPreprocessor):
    """Fills in what the cells put out: the student's code in one process, the instructor's tests in another."""

    seconds_per_cell = Float(Options.seconds_per_cell, help="Seconds that a cell may take.").tag(config=True)
    seconds_in_all = Float(Options.seconds_in_all, help="Seconds that a notebook may take.").tag(config=True)
    memory_bytes = Int(Options.memory_bytes, help="Bytes of memory that each process may take.").tag(config=True)
    sandbox = Unicode(
        Options.sandbox, help='"auto", "one", "two", or "none" to run students\' code with your own rights.'
    ).tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: ResourcesDict) -> tuple[NotebookNode, ResourcesDict]:
        """The notebook rebuilt from the instructor's, with outputs."""
        return execute(self.source(resources), nb, self.options()), resources

    def options(self) -> Options:
        """The settings of nbgrader's configuration, and the class secret from the environment."""
        return Options(
            seconds_per_cell=self.seconds_per_cell,
            seconds_in_all=self.seconds_in_all,
            memory_bytes=self.memory_bytes,
            sandbox=self.sandbox,
            secret=os.environ.get(VARIABLE),
        )

    def source(self, resources: ResourcesDict) -> NotebookNode:
        """The instructor's own notebook, from the course's source folder."""
        course = self.parent.parent.coursedir  # of the converter that runs this exporter
        about = resources["nbgrader"]
        folder = course.format_path(course.source_directory, ".", about["assignment"])
        return nbformat.read(Path(folder) / f"{about['notebook']}.ipynb", as_version=4)
