"""The made-up class from release to export, and the page that tells instructors how to do the same."""

import dataclasses
import re
from pathlib import Path

import pytest

from llmcourse.grading.demo import Demo, check_feedback, compare, run
from llmcourse.grading.madeup import make_class

pytestmark = [pytest.mark.grading, pytest.mark.timeout(1200)]
EXERCISE = "06-attention"


@pytest.fixture(scope="module")
def demo(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """One run of the made-up class; it raises where a score is not as expected."""
    return run(root, tmp_path_factory.mktemp("demo") / "class", [EXERCISE], say=lambda line: None)


def test_every_score_is_as_expected_and_a_wrong_one_is_told(demo: Demo, root: Path) -> None:
    students = make_class(root, EXERCISE)
    assert compare(demo, EXERCISE, students) == []
    swapped = [dataclasses.replace(each, automatic=each.automatic + 1) for each in students]
    assert len(compare(demo, EXERCISE, swapped)) == len(students)


def test_the_class_holds_what_a_grader_must_tell_apart(demo: Demo, root: Path) -> None:
    students = {each.name: each for each in make_class(root, EXERCISE)}
    full = students["ada"].total
    assert students["dora"].total == full
    assert 0 < students["cem"].total < students["ben"].total < students["eli"].total < full
    assert students["flo"].total == students["gus"].total == 0


def test_feedback_is_there_for_those_who_handed_in_and_shows_no_hidden_test(demo: Demo, root: Path) -> None:
    folder, students = demo.course.folder / "feedback", make_class(root, EXERCISE)
    assert check_feedback(folder, EXERCISE, students) == []
    page = (folder / "ben" / EXERCISE / f"{EXERCISE}.html").read_text(encoding="utf-8")
    assert "attention.no-scale" in page
    assert "BEGIN HIDDEN TESTS" not in page
    assert "1 of 3 points, ben." in page
    # the check itself must be able to fail
    page_of_ada = folder / "ada" / EXERCISE / f"{EXERCISE}.html"
    before = page_of_ada.read_text(encoding="utf-8")
    page_of_ada.write_text(before + "secret_seeds(", encoding="utf-8")
    assert check_feedback(folder, EXERCISE, students) == ["the feedback page of ada shows a hidden test"]
    page_of_ada.unlink()
    assert check_feedback(folder, EXERCISE, students) == ["the feedback page of ada is missing"]


def test_the_instructors_page_shows_the_commands_that_the_demo_runs(demo: Demo, root: Path) -> None:
    page = (root / "instructors.md").read_text(encoding="utf-8")
    page = re.sub(r"## On a JupyterHub\n.*?(?=^## )", "", page, flags=re.DOTALL | re.MULTILINE)
    blocks = re.findall(r"```bash\n(.*?)```", page, re.DOTALL)
    shown = [line for block in blocks for line in block.splitlines() if line.startswith(("nbgrader ", "llmcourse "))]
    others = ("nbgrader validate ", "llmcourse grade --doctor")  # of students, and before the first class
    told_apart = [line for line in shown if not line.startswith(others)]
    assert sorted(told_apart) == sorted(demo.commands)


def test_a_folder_with_other_files_is_left_alone(root: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ValueError, match="holds other files"):
        run(root, tmp_path, [EXERCISE])
    assert (tmp_path / "thesis.txt").exists()
