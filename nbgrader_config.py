"""What nbgrader needs to know about this course; the page "For instructors" walks through the commands."""

import os
import sys
from pathlib import Path

c = get_config()  # noqa: F821

c.CourseDirectory.course_id = "llmcourse"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "exercises"

# nbgrader calls `alembic` by its bare name, so the programs beside this Python come first
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])

# what a student sees in place of an answer
c.ClearSolutions.code_stub = {"python": "# your code here\nraise NotImplementedError"}
c.ClearSolutions.text_stub = "*Write your answer here.*"

# hidden tests draw their seeds from the class secret, which the kernels inherit through the environment
secret = Path(".class-secret")
if "LLMCOURSE_CLASS_SECRET" not in os.environ and secret.is_file():
    os.environ["LLMCOURSE_CLASS_SECRET"] = secret.read_text(encoding="utf-8").strip()

# archives from Canvas, Moodle or with names such as ada_20261001T123005Z_06-attention.ipynb (a time in UTC); unpacked
# without links, paths that lead out, or bombs
c.ZipCollectApp.extractor_plugin = "llmcourse.grading.intake.collect.SafeExtractor"
c.ZipCollectApp.collector_plugin = "llmcourse.grading.intake.collect.Collector"
# on a JupyterHub: whose a folder is and when it was handed in is for the operating system to say
c.ExchangeFactory.collect = "llmcourse.grading.intake.exchange.Collect"
c.AssignLatePenalties.plugin_class = "llmcourse.grading.late.TenthPerDay"

# before a submission is touched: links are moved away, times that a student wrote do not count, broken and missing
# notebooks become empty ones that say so, and an old score is forgotten
c.Autograde.exporter_class = "llmcourse.grading.intake.autograde.Intake"
c.Autograde.sanitize_preprocessors = [
    "nbgrader.preprocessors.ClearOutput",
    "llmcourse.grading.intake.plugins.Repair",
    "nbgrader.preprocessors.DeduplicateIds",
    "nbgrader.preprocessors.OverwriteKernelspec",
    "nbgrader.preprocessors.OverwriteCells",
    "nbgrader.preprocessors.CheckCellMetadata",
]
# students' code and tests run apart, in a sandbox; a cell that never ends costs its own points, and not the batch
c.SplitExecute.seconds_per_cell = 120.0
c.Autograde.autograde_preprocessors = [
    "llmcourse.grading.schedule.plugin.SplitExecute",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]

# feedback leaves out the hidden tests and what their errors quote of them, and keeps a student's HTML from running in
# the reader's browser; the lines for HTMLExporter do the same for formgrader's own pages
c.GenerateFeedback.preprocessors = [
    "nbgrader.preprocessors.GetGrades",
    "llmcourse.grading.feedback.HideTests",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]
c.HTMLExporter.sanitize_html = True
c.HTMLExporter.filters = {"markdown2html": "llmcourse.grading.feedback.harmless_html"}
c.HTMLExporter.preprocessors = ["llmcourse.grading.feedback.SafePictures"]
