"""The plain grader is beaten by the same attacks: so they are real, and it is ours that stops them."""

from pathlib import Path

import pytest

from llmcourse.grading.course import Course
from llmcourse.grading.fixtures import graded_points, solution_notebook
from tests.grading.attacks import suite

pytestmark = [pytest.mark.grading, pytest.mark.timeout(900)]
PLAIN = """
c = get_config()
c.CourseDirectory.course_id = "plain"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "exercises"
c.Execute.timeout = 60
import os, pathlib, sys
os.environ["PATH"] = os.pathsep.join([str(pathlib.Path(sys.executable).parent), os.environ.get("PATH", "")])
"""
BEATS_IT = (
    "checks_that_pass_all",
    "code_of_the_judge_swapped",
    "frames_of_the_caller",
    "functions_of_torch_patched",
    "names_of_the_tests",
)


def test_stock_nbgrader_gives_points_to_attacks_that_get_none_here(root: Path, tmp_path: Path) -> None:
    course = Course.create(tmp_path / "course", root, [suite.EXERCISE])
    (course.folder / "nbgrader_config.py").write_text(PLAIN, encoding="utf-8")
    course.nbgrader("generate_assignment", suite.EXERCISE, "--force")
    attacks = {attack.name: attack for attack in suite.attacks()}
    course.hand_in("honest", suite.EXERCISE, suite.wrong_notebook(root))
    for name in BEATS_IT:
        course.hand_in(name, suite.EXERCISE, suite.wrong_notebook(root, attack=attacks[name]))
    course.nbgrader("autograde", suite.EXERCISE)
    tests = graded_points(solution_notebook(root, suite.EXERCISE))
    got = {who: sum(cells[name].points or 0 for name in tests) for who, cells in course.scores(suite.EXERCISE).items()}
    honest = got.pop("honest")
    assert set(got) == set(BEATS_IT)
    assert min(got.values()) > honest, (honest, got)
    assert max(got.values()) == sum(tests.values()), (honest, got)
