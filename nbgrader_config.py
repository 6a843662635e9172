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

# files from a learning platform: <student>_<time of hand-in, UTC>_<exercise>.ipynb, such as
# ada_20261001T123005Z_06-attention.ipynb (a time with dashes, 12-30-05, would be misread without a word)
c.FileNameCollectorPlugin.named_regexp = (
    r".*[/\\](?P<student_id>[\w.-]+?)_(?P<timestamp>\d{8}T\d{6}Z)_(?P<file_id>[\w.-]+)\.ipynb"
)
c.AssignLatePenalties.plugin_class = "llmcourse.grading.late.TenthPerDay"

# a cell that never ends costs its own points, and not the batch
c.Execute.timeout = 120
c.Execute.iopub_timeout = 30  # how long a stopped cell may take to let go on a busy machine
c.Execute.error_on_timeout = {
    "ename": "CellTimeoutError",
    "evalue": "This cell took more than two minutes and was stopped.",
    "traceback": ["This cell took more than two minutes and was stopped."],
}

# feedback leaves out the hidden tests, and keeps a student's HTML from running in the reader's browser
c.GenerateFeedback.preprocessors = [
    "nbgrader.preprocessors.GetGrades",
    "nbgrader.preprocessors.ClearHiddenTests",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]
c.HTMLExporter.sanitize_html = True
c.HTMLExporter.filters = {"markdown2html": "llmcourse.grading.feedback.harmless_html"}
