"""The gradebook's one writer: what nbgrader's own steps would have written, in one session and one commit a student."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.api import Gradebook, MissingEntry

from llmcourse.data.files import atomic_path
from llmcourse.grading.intake.folder import TIMESTAMP
from llmcourse.grading.intake.plugins import forget_scores, released
from llmcourse.grading.schedule.beside import instructors_files, put_beside, students_files
from llmcourse.grading.schedule.settings import Settings


class Writer:
    """Writes scores for one assignment. Scores are committed before the notebook is put beside them."""

    def __init__(self, settings: Settings, assignment: str) -> None:
        self.settings, self.assignment = settings, assignment
        self.given = instructors_files(settings, assignment)
        self.gradebook = Gradebook(settings.database, settings.coursedir.course_id)
        try:
            self.known = self.gradebook.find_notebook(assignment, assignment)
        except MissingEntry:
            self.gradebook.close()
            raise ValueError(
                f"The gradebook does not know {assignment}. Run: nbgrader generate_assignment {assignment} --force"
            ) from None
        self.released: NotebookNode = released(self.known)

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, *_: object) -> None:
        self.gradebook.close()

    def submission(self, student: str, moment: datetime | None) -> Any:
        """The student's submission, made where it is new, with the time that the platform tells."""
        try:
            self.gradebook.find_student(student)
        except MissingEntry:
            self.gradebook.add_student(student)
        naive = None if moment is None else moment.astimezone(UTC).replace(tzinfo=None)
        # nbgrader asks for the assignment while the submission is half made
        with self.gradebook.db.no_autoflush:
            return self.gradebook.update_or_create_submission(self.assignment, student, timestamp=naive)

    def is_written(self, student: str, key: str) -> bool:
        """Whether the gradebook and the notebook beside it hold this very result."""
        path = self.settings.folder("autograded", student, self.assignment) / f"{self.assignment}.ipynb"
        if path.is_symlink() or not path.is_file():
            return False
        with suppress(ValueError, AttributeError, OSError, MissingEntry):
            found = nbformat.read(path, as_version=4).metadata.get("llmcourse", {}).get("result")
            self.gradebook.find_submission(self.assignment, student)
            return bool(found == key)
        return False

    def put_beside(self, student: str, moment: datetime | None, others: Sequence[Path]) -> list[str]:
        """Put the instructor's files and the student's beside the notebook; a line for each that was left out."""
        own = students_files(self.settings, self.assignment, student, others)
        kept = {f"{self.assignment}.ipynb", *([] if moment is None else [TIMESTAMP])}
        return put_beside(self.settings.folder("autograded", student, self.assignment), self.given, own, kept=kept)

    def write(self, student: str, moment: datetime | None, text: str) -> list[str]:
        """Write the scores that a notebook earned, then the notebook; what comes back a person must look at."""
        submission = self.submission(student, moment)
        (notebook,) = [each for each in submission.notebooks if each.name == self.assignment]
        graded = nbformat.v4.reads(text)
        if limit_output(graded, self.settings.limit_output):
            text = nbformat.writes(graded)
        with self.gradebook.db.no_autoflush:
            # all at once: a commit makes SQLAlchemy forget them, and it would ask again for each grade's own
            cells = [*self.known.grade_cells, *self.known.solution_cells, *self.known.task_cells]
            odd = set_scores(notebook, graded)
            del cells
        self.gradebook.db.flush()
        self._set_penalty(student, submission, notebook)
        self.gradebook.db.commit()
        self._put(student, moment, text)
        return odd

    def refresh_penalty(self, student: str, moment: datetime | None) -> None:
        """Work out the penalty again from the points known by now, as a person may have given some."""
        submission = self.submission(student, moment)
        (notebook,) = [each for each in submission.notebooks if each.name == self.assignment]
        self._set_penalty(student, submission, notebook)
        self.gradebook.db.commit()

    def fail(self, student: str, moment: datetime | None, handed_in: NotebookNode, reason: str) -> None:
        """Note that nothing could be graded: no old score stands, and a person is asked to look."""
        self.submission(student, moment)
        forget_scores(self.gradebook, self.assignment, student)
        note = nbformat.v4.new_markdown_cell(f"The grader failed on this submission: {reason}", id="grader")
        self._put(student, moment, nbformat.writes(NotebookNode({**handed_in, "cells": [note, *handed_in.cells]})))

    def _set_penalty(self, student: str, submission: Any, notebook: Any) -> None:
        self.gradebook.db.refresh(notebook)
        notebook.late_submission_penalty = None
        late = submission.total_seconds_late
        if late > 0:
            penalty = self.settings.penalties.plugin_inst.late_submission_penalty(student, notebook.score, late)
            if penalty is not None:
                notebook.late_submission_penalty = min(max(penalty, 0), notebook.score)

    def _put(self, student: str, moment: datetime | None, text: str) -> None:
        folder = self.settings.folder("autograded", student, self.assignment)
        if moment is not None:
            with atomic_path(folder / TIMESTAMP) as scratch:
                scratch.write_text(f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC\n", encoding="utf-8")
        with atomic_path(folder / f"{self.assignment}.ipynb") as scratch:
            scratch.write_text(f"{text}\n", encoding="utf-8")


def limit_output(graded: NotebookNode, limiter: Any) -> bool:
    """Cut long outputs in place as nbgrader does before it looks at scores, and say whether there were any."""
    before = _lines(graded)
    for index, cell in enumerate(graded.cells):
        limiter.preprocess_cell(cell, {}, index)
    return before != _lines(graded)


def _lines(graded: NotebookNode) -> list[tuple[Any, Any]]:
    outputs = [output for cell in graded.cells for output in cell.get("outputs", [])]
    return [(output.get("text"), output.get("traceback")) for output in outputs]


def set_scores(notebook: Any, graded: NotebookNode) -> list[str]:
    """Set automatic points and comments by nbgrader's own rules; what comes back has no clear score."""
    cells = {cell.metadata.nbgrader["grade_id"]: cell for cell in graded.cells if "nbgrader" in cell.metadata}
    odd = []
    for grade in notebook.grades:
        grade.auto_score = None
        try:
            if grade.name in cells:
                grade.auto_score, _ = utils.determine_grade(cells[grade.name])
        except (ValueError, KeyError) as error:
            odd.append(f"{grade.name} has no clear score: {error}")
        grade.needs_manual_grade = grade.manual_score is not None or grade.auto_score is None
    for comment in notebook.comments:
        cell = cells.get(comment.name)
        untouched = cell is not None and cell.metadata.nbgrader.get("checksum") == utils.compute_checksum(cell)
        comment.auto_comment = "No response." if untouched and not utils.is_task(cell) else None
    return odd
