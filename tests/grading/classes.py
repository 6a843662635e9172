"""Small course folders for tests: one exercise of one answer and one test, and students who hand it in."""

import shutil
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook

from llmcourse.grading.schedule import read_settings

WORK = "area"


def cell(grade_id: str, source: str, kind: str = "code", **info: object) -> NotebookNode:
    """A cell as an instructor marks it."""
    marks = {
        "schema_version": 3,
        "grade_id": grade_id,
        "grade": False,
        "solution": False,
        "locked": False,
        "task": False,
    }
    make = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
    return make(source, id=grade_id, metadata={"nbgrader": {**marks, "cell_type": kind, **info}})


def instructors() -> NotebookNode:
    """An instructor's notebook."""
    return nbformat.v4.new_notebook(
        cells=[
            cell("area", "### BEGIN SOLUTION\nright = 1\n### END SOLUTION", solution=True),
            cell("area_check", "assert right", grade=True, locked=True, points=1.0),
            cell(
                "area_test",
                "assert right\n### BEGIN HIDDEN TESTS\nassert right == 1, 'hidden'\n### END HIDDEN TESTS",
                grade=True,
                locked=True,
                points=2.0,
            ),
            cell("why", "Because.", "markdown", grade=True, solution=True, points=3.0),
        ]
    )


def make_course(
    root: Path, folder: Path, name: str = WORK, source: NotebookNode | None = None, release: NotebookNode | None = None
) -> Path:
    """A course folder whose gradebook knows one exercise, without running nbgrader for it."""
    folder.mkdir(parents=True)
    shutil.copy(root / "nbgrader_config.py", folder)
    source = source or instructors()
    path = folder / "solutions" / name / f"{name}.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(source, path)
    read_settings(folder)  # puts the programs beside this Python on PATH, where a new gradebook looks for alembic
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}", "llmcourse") as gradebook:
        gradebook.add_assignment(name, duedate="2026-10-01 12:00:00 UTC")
        gradebook.add_notebook(name, name, kernelspec="{}")
        for each in (release or source).cells:
            marks = each.metadata.get("nbgrader")
            if marks is None:
                continue
            if marks.grade:
                gradebook.add_grade_cell(marks.grade_id, name, name, max_score=marks.points, cell_type=each.cell_type)
            if marks.solution:
                gradebook.add_solution_cell(marks.grade_id, name, name)
            gradebook.add_source_cell(
                marks.grade_id,
                name,
                name,
                cell_type=each.cell_type,
                locked=marks.locked,
                source=each.source,
                checksum=marks.get("checksum", "none"),
            )
    return folder


def hand_in(folder: Path, student: str, answer: str, words: str = "I think so.") -> Path:
    """Put a student's notebook where nbgrader looks for it."""
    path = folder / "submitted" / student / WORK / f"{WORK}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    cells = [cell("area", answer), cell("area_check", "pass"), cell("why", words, "markdown")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def scores(folder: Path) -> dict[str, dict[str, object]]:
    """All that the gradebook says of each submission."""
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}", "llmcourse") as gradebook:
        return {
            each.student.id: {
                **{grade.name: (grade.auto_score, grade.needs_manual_grade) for grade in each.notebooks[0].grades},
                **{f"comment {note.name}": note.auto_comment for note in each.notebooks[0].comments},
                "late": each.notebooks[0].late_submission_penalty,
                "time": each.timestamp,
            }
            for each in gradebook.assignment_submissions(WORK)
        }
