"""What happens to a submission before `nbgrader autograde` runs it: a plain folder, a readable notebook, no score."""

import os
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor

from llmcourse.data.files import atomic_path
from llmcourse.grading.intake.folder import TIMESTAMP, choose, kind_of, others_of, read_plain, survey
from llmcourse.grading.intake.ledger import FOLDER, Entry, read_ledger
from llmcourse.grading.intake.limits import Limits, Problem
from llmcourse.grading.intake.notebooks import BrokenNotebook, parse, placeholder, repair
from llmcourse.grading.intake.paths import printable


def tidy(folder: Path, course: Path, limits: Limits | None = None) -> list[Problem]:
    """Leave only plain files and a readable notebook in `submitted/<student>/<assignment>`; the rest is moved aside.

    What is moved goes, as it is, below `.grading/<assignment>/refused/<student>`; a link is moved and not followed.
    """
    limits = limits or Limits()
    student, assignment = folder.parent.name, folder.name
    aside = course / FOLDER / assignment / "refused" / student
    refused: list[Problem] = []
    if folder.is_symlink() or not folder.is_dir():
        _, refused = survey(folder, limits)
        _move(folder, folder.parent, aside)
        folder.mkdir()
    _make_room(folder, aside)
    files, problems = survey(folder, limits)
    others, left = others_of(folder, files, limits)
    problems += left
    kept = {*others, *(path for path in files if path.suffix == ".ipynb" or path == folder / TIMESTAMP)}
    for path in sorted(_entries(folder)):
        if path not in kept:
            _move(path, folder, aside)
    problems += _set_time(folder, read_ledger(course, assignment).get(student), aside)
    return [*refused, *problems, *_set_notebook(files, folder, aside, limits)]


def _entries(folder: Path) -> list[Path]:
    """All that is no folder, links to folders included."""
    found = []
    for where, folders, files in os.walk(folder):
        links = [name for name in folders if Path(where, name).is_symlink()]
        found += [Path(where, name) for name in [*files, *links]]
    return found


def _make_room(folder: Path, aside: Path) -> None:
    """Rename a folder that has the notebook's name, as the work may be in it; one with the time's name is moved."""
    place = folder / f"{folder.name}.ipynb"
    if place.is_dir() and not place.is_symlink():
        place.rename(_free(place.with_name(f"{place.name}.folder")))
    if (folder / TIMESTAMP).is_dir():
        _move(folder / TIMESTAMP, folder, aside)


def _move(path: Path, folder: Path, aside: Path) -> None:
    target = aside / path.relative_to(folder)
    target.parent.mkdir(parents=True, exist_ok=True)
    path.rename(_free(target))


def _free(path: Path) -> Path:
    """The path, with a number behind it where there is something already."""
    target, number = path, 0
    while os.path.lexists(target):
        number += 1
        target = path.with_name(f"{path.name}.{number}")
    return target


def _set_time(folder: Path, entry: Entry | None, aside: Path) -> list[Problem]:
    """Write the platform's time where nbgrader looks for it; a time of the student's own never counts."""
    path = folder / TIMESTAMP
    known = None if entry is None or entry.time is None else f"{entry.time:%Y-%m-%d %H:%M:%S} UTC\n"
    problems = []
    if path.is_file():
        if known is not None and read_plain(path, Limits()) == known.encode():
            return []
        _move(path, folder, aside)
        problems.append(Problem("own-time", "The time in timestamp.txt is not the platform's, and does not count."))
    if known is not None:
        with atomic_path(path) as scratch:
            scratch.write_bytes(known.encode())
    return problems


def _set_notebook(files: list[Path], folder: Path, aside: Path, limits: Limits) -> list[Problem]:
    """Leave a notebook of the assignment's name that can be read; one without answers, if need be."""
    path = folder / f"{folder.name}.ipynb"
    try:
        found, problems = choose(files, folder.name)
        if found != path:
            found.rename(path)
        data = read_plain(path, limits)
        notebook = parse(data, limits)
        if not _fit(data):
            _move(path, folder, aside)
            with atomic_path(path) as scratch:
                nbformat.write(notebook, scratch)
            problems.append(Problem("rewritten", f"{path.name} was written anew: nbgrader cannot read it as it is."))
    except BrokenNotebook as error:
        if os.path.lexists(path):
            _move(path, folder, aside)
        reason = printable(str(error), 300)
        with atomic_path(path) as scratch:
            nbformat.write(placeholder(nbformat.v4.new_notebook(), reason), scratch)
        return [Problem(kind_of(error), f"Nothing could be graded: {reason}.")]
    return problems


def _fit(data: bytes) -> bool:
    """Whether nbgrader's own steps get through a notebook that this course can read."""
    try:
        notebook = nbformat.reads(data.decode("utf-8"), as_version=4)
        nbformat.validate(notebook)
        nbformat.writes(notebook).encode("utf-8")
    except Exception:  # nbformat raises whatever its parts raise
        return False
    return True


class Repair(NbGraderPreprocessor):
    """The first step of autograde: give the notebook the metadata that it should have."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """The notebook, fit for the steps that follow. Called by `nbgrader autograde`."""
        from nbgrader.api import Gradebook

        of = resources["nbgrader"]
        with Gradebook(of["db_url"]) as gradebook:
            known = gradebook.find_notebook(of["notebook"], of["assignment"])
            source = released(known)
        fixed, problems = repair(parse(nbformat.writes(nb).encode("utf-8")), source)
        for problem in problems:
            self.log.warning(problem.text)
        return fixed, resources


def forget_scores(gradebook: Any, assignment: str, student: str) -> None:
    """Take back what an earlier run gave; points that a person gave stay."""
    submission = gradebook.find_submission(assignment, student)
    for notebook in submission.notebooks:
        for grade in notebook.grades:
            grade.auto_score, grade.needs_manual_grade = None, True
        notebook.late_submission_penalty = None
    gradebook.db.commit()


def released(notebook: Any) -> NotebookNode:
    """The cells that the gradebook knows of a notebook, with nbgrader's metadata as it was released."""
    points = {cell.name: cell.max_score for cell in [*notebook.grade_cells, *notebook.task_cells]}
    graded, tasks = {cell.name for cell in notebook.grade_cells}, {cell.name for cell in notebook.task_cells}
    answers = {cell.name for cell in notebook.solution_cells}
    cells = []
    for known in notebook.source_cells:
        make = nbformat.v4.new_code_cell if known.cell_type == "code" else nbformat.v4.new_markdown_cell
        info: dict[str, Any] = {
            "schema_version": 3,
            "grade_id": known.name,
            "grade": known.name in graded,
            "solution": known.name in answers,
            "task": known.name in tasks,
            "locked": bool(known.locked),
            "cell_type": known.cell_type,
            "checksum": known.checksum,
        }
        if known.name in points:
            info["points"] = points[known.name]
        cells.append(make(known.source or "", metadata={"nbgrader": info}))
    return nbformat.v4.new_notebook(cells=cells)
