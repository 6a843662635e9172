"""Run made-up submissions: at once in this process, by the split checker, and through the whole of nbgrader."""

import io
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.utils import determine_grade

from llmcourse.checks.seeds import VARIABLE
from llmcourse.grading.course import MADE_UP_SECRET, CellScore, Course, outputs
from llmcourse.grading.fixtures import (
    Fixture,
    answers,
    grade_id,
    graded_points,
    read_fixtures,
    release_notebook,
    solution_notebook,
    submission,
)
from llmcourse.grading.split import Options, execute

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
EXERCISES = sorted(path.name for path in HERE.iterdir() if (path / "mutants").is_dir())


@cache
def fixtures(exercise: str, kind: str) -> list[Fixture]:
    """The files under `mutants` or `alternatives` of an exercise."""
    return read_fixtures(HERE / exercise / kind)


def cases(kind: str) -> list[tuple[str, Fixture]]:
    """(exercise, fixture) for all exercises."""
    return [(exercise, fixture) for exercise in EXERCISES for fixture in fixtures(exercise, kind)]


def case_id(value: Any) -> str | None:
    """A short name for pytest."""
    return value.name if isinstance(value, Fixture) else None


@cache
def solution(exercise: str) -> NotebookNode:
    """The instructor's notebook."""
    return solution_notebook(ROOT, exercise)


def handed_in(exercise: str, replaces: Mapping[str, str]) -> NotebookNode:
    """What a student hands in who answers all as the solution does, apart from these cells."""
    return submission(release_notebook(ROOT, exercise), {**answers(solution(exercise)), **replaces})


@contextmanager
def class_secret() -> Iterator[None]:
    """The class secret that made-up classes have, on both ways."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = MADE_UP_SECRET
    try:
        yield
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before


def run_here(exercise: str, replaces: Mapping[str, str]) -> dict[str, BaseException | None]:
    """What each test cell raised, by grade_id; answers and tests run in this process, in the notebook's order.

    Cells that are neither an answer nor a test nor the imports are left out, so pay-off cells cost nothing here.
    """
    graded = graded_points(solution(exercise))
    given = {**answers(solution(exercise)), **replaces}
    names: dict[str, Any] = {"__name__": "submission"}
    raised: dict[str, BaseException | None] = {}
    with class_secret(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        for cell in solution(exercise).cells:
            name = grade_id(cell)
            if cell.cell_type != "code" or name not in {*given, *graded, "imports"}:
                continue
            try:
                exec(compile(given.get(name, cell.source), f"<{name}>", "exec"), names)
                error = None
            except Exception as caught:
                error = caught
            if name in graded:
                raised[name] = error
    return raised


Scores = dict[str, dict[str, CellScore]]
# the course's settings without a grader of its own: nbgrader runs tests in the student's kernel, as it comes
STOCK = "\nc.Autograde.clear()\nc.Execute.timeout = 120\n"


def grade_class(exercise: str, folder: Path, submissions: Mapping[str, NotebookNode]) -> Scores:
    """Scores of a whole class by plain nbgrader's own commands."""
    course = Course.create(folder, ROOT, [exercise])
    with (course.folder / "nbgrader_config.py").open("a", encoding="utf-8") as settings:
        settings.write(STOCK)
    course.nbgrader("generate_assignment", exercise, "--force")
    for student, notebook in submissions.items():
        course.hand_in(student, exercise, notebook)
    course.nbgrader("autograde", exercise)
    return course.scores(exercise)


def without_payoffs(notebook: NotebookNode) -> NotebookNode:
    """A copy without the cells that carry no points and come last."""
    copy: NotebookNode = nbformat.from_dict(notebook)
    copy.cells = [cell for cell in copy.cells if not grade_id(cell).startswith("payoff")]
    return copy


def execute_apart(exercise: str, given: NotebookNode) -> dict[str, CellScore]:
    """Points and outputs of every graded cell by the split checker, without pay-offs."""
    options = Options(sandbox="none", secret=MADE_UP_SECRET)
    graded = execute(without_payoffs(solution(exercise)), without_payoffs(given), options)
    printed = outputs(graded)
    scores = {}
    for cell in graded.cells:
        if cell.metadata.get("nbgrader", {}).get("grade"):
            points, most = determine_grade(cell)
            scores[grade_id(cell)] = CellScore(points, most, printed.get(grade_id(cell), ""))
    return scores


def made_up_class(exercise: str, chosen: Sequence[Fixture]) -> dict[str, NotebookNode]:
    """One student per fixture, one who does everything right, and one who hands in the untouched release."""
    students = {fixture.name: handed_in(exercise, fixture.replaces) for fixture in chosen}
    return {**students, "perfect": handed_in(exercise, {}), "untouched": release_notebook(ROOT, exercise)}
