"""The rules that every exercise keeps, and the release that follows from the solution."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from nbformat import NotebookNode

from llmcourse.grading.fixtures import grade_id
from llmcourse.grading.release import exercise_names, generate
from tests.exercises.harness import EXERCISES, solution

ANSWER = re.compile(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", re.DOTALL)


def cells(exercise: str, **flags: bool) -> list[NotebookNode]:
    marked = [cell for cell in solution(exercise).cells if "nbgrader" in cell.metadata]
    return [cell for cell in marked if all(cell.metadata.nbgrader[flag] is value for flag, value in flags.items())]


def test_every_exercise_has_fixtures(root: Path) -> None:
    assert exercise_names(root) == EXERCISES


@pytest.mark.parametrize("exercise", EXERCISES)
def test_answers_are_short_and_start_from_a_stub(exercise: str) -> None:
    for cell in cells(exercise, solution=True, grade=False):
        answers = ANSWER.findall(cell.source)
        assert answers, grade_id(cell)
        assert sum(len(answer.strip().splitlines()) for answer in answers) <= 15, grade_id(cell)
        assert '"""' in ANSWER.sub("", cell.source), f"{grade_id(cell)} has no docstring"


@pytest.mark.parametrize("exercise", EXERCISES)
def test_every_test_cell_is_locked_and_hidden_tests_draw_their_seeds_from_the_class_secret(exercise: str) -> None:
    for cell in cells(exercise, grade=True, solution=False):
        assert cell.metadata.nbgrader.locked
        assert cell.metadata.nbgrader.points > 0
        if "BEGIN HIDDEN TESTS" in cell.source:
            assert f'secret_seeds("{grade_id(cell)}"' in cell.source


@pytest.mark.parametrize("exercise", EXERCISES)
def test_the_notebook_says_how_many_points_there_are(exercise: str) -> None:
    total = sum(cell.metadata.nbgrader.points for cell in cells(exercise, grade=True))
    assert f"**Points.** {total:g}," in solution(exercise).cells[0].source
    tasks = re.findall(r"^## Task .*\((\d+) points?\)$", _prose(exercise), re.MULTILINE)
    assert sum(map(int, tasks)) == total


@pytest.mark.parametrize("exercise", EXERCISES)
def test_metadata_is_of_version_3_and_outputs_are_stripped(exercise: str) -> None:
    for cell in solution(exercise).cells:
        assert cell.metadata.get("nbgrader", {"schema_version": 3})["schema_version"] == 3
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


@pytest.mark.grading
def test_the_releases_are_what_the_solutions_generate(root: Path, tmp_path: Path) -> None:
    again = generate(root, tmp_path / "exercises")
    made = {path.relative_to(tmp_path): path.read_bytes() for path in again}
    kept = {path.relative_to(root): path.read_bytes() for path in (root / "exercises").rglob("*") if path.is_file()}
    assert {name: data for name, data in kept.items() if ".ipynb_checkpoints" not in name.parts} == made


@pytest.mark.grading
@pytest.mark.parametrize("exercise", EXERCISES)
def test_a_release_holds_no_answer_and_no_hidden_test(exercise: str, root: Path) -> None:
    text = (root / "exercises" / exercise / f"{exercise}.ipynb").read_text(encoding="utf-8")
    assert "BEGIN" not in text
    assert "secret_seeds(" not in text.replace("import secret_seeds", "")
    for cell in cells(exercise, solution=True, grade=False):
        for answer in ANSWER.findall(cell.source):
            assert answer.strip().splitlines()[-1].strip() not in text


def validate(path: Path, root: Path) -> str:
    command = [sys.executable, "-m", "nbgrader", "validate", str(path)]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout


@pytest.mark.grading
@pytest.mark.parametrize("exercise", EXERCISES)
def test_validate_passes_on_the_solution_and_fails_on_the_release(exercise: str, root: Path) -> None:
    assert "Success!" in validate(root / "solutions" / exercise / f"{exercise}.ipynb", root)
    printed = validate(root / "exercises" / exercise / f"{exercise}.ipynb", root)
    seen = [cell for cell in cells(exercise, grade=True) if not _only_hidden(cell)]  # answers in words count too
    assert f"VALIDATION FAILED ON {len(seen)} CELL(S)" in printed
    assert "is not written yet" in printed


def _prose(exercise: str) -> str:
    return "\n".join(cell.source for cell in solution(exercise).cells if cell.cell_type == "markdown")


def _only_hidden(cell: NotebookNode) -> bool:
    shown = re.sub(r"### BEGIN HIDDEN TESTS.*?### END HIDDEN TESTS", "", cell.source, flags=re.DOTALL)
    return all(line.startswith("#") or not line for line in shown.splitlines())
