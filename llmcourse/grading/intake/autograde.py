"""The start of `nbgrader autograde`: every folder that was handed in is seen, and is plain before anything reads it.

nbgrader passes over a folder without a notebook, and its hook before each submission sees no gradebook; either way an
old score would stay. The exporter is made once for a run, when nbgrader has listed the notebooks: it alone is named by
the configuration and knows the run. Where nbgrader finds no notebook in any folder, it stops before that.
"""

import os
from contextlib import suppress
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Any

from nbconvert.exporters import NotebookExporter
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters import Autograde

from llmcourse.grading.intake.paths import is_student_id
from llmcourse.grading.intake.plugins import forget_scores, tidy


class Intake(NotebookExporter):
    """nbgrader's own exporter, which takes the class in when it is made."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        if isinstance(self.parent, Autograde):
            take_in(self.parent)


def take_in(run: Autograde) -> None:
    """Add folders without a notebook to the run, leave out students' folders that are links, and set the hook."""
    where = run.coursedir
    form = partial(where.format_path, where.submitted_directory, assignment_id=where.assignment_id)
    top = Path(form("*")).parents[1]
    for student in sorted(top.iterdir()) if top.is_dir() else []:
        path = form(student.name)
        folder = Path(path)
        asked = fnmatchcase(student.name, where.student_id) and fnmatchcase(folder.name, where.notebook_id)
        if student.is_symlink():
            run.assignments.pop(path, None)
        elif asked and is_student_id(student.name) and os.path.lexists(folder):
            run.assignments.setdefault(path, [str(folder / f"{folder.name}.ipynb")])
    run.pre_convert_hook = partial(before_each, run)


def before_each(run: Autograde, notebooks: list[str], **_: Any) -> None:
    """Forget what one submission had, and make its folder plain; nbgrader goes on with the very list `notebooks`.

    nbgrader also goes on where this fails: then there is nothing left to grade.
    """
    (folder,) = {Path(path).parent for path in notebooks}
    notebooks.clear()
    with Gradebook(run.coursedir.db_url, run.coursedir.course_id) as gradebook, suppress(MissingEntry):
        forget_scores(gradebook, folder.name, folder.parent.name)
    for problem in tidy(folder, Path(run.coursedir.root)):
        run.log.warning(problem.text)
    notebooks += [str(path) for path in sorted(folder.glob("*.ipynb"))]
