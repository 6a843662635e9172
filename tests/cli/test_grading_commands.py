"""The commands of an instructor: grade, report and export, as they are typed."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from llmcourse.cli import app
from llmcourse.commands.export import export_grades
from llmcourse.grading.schedule import grade, read_settings
from tests.grading import fakes
from tests.grading.classes import WORK, hand_in, make_course
from tests.grading.test_schedule import one_thread


@pytest.fixture(scope="module")
def graded(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course folder in which one student got points for the tests, and waits for more."""
    course = make_course(root, tmp_path_factory.mktemp("graded") / "course")
    hand_in(course, "ada", "right = 1")
    hand_in(course, "ben", "right = 1", "Because.")
    grade(read_settings(course), WORK, {}, one_thread, 2, execute=fakes.execute)
    return course


def test_grade_needs_an_assignment_and_a_course_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    nameless = CliRunner().invoke(app, ["grade"])
    assert (nameless.exit_code, "Name an assignment" in nameless.stderr) == (2, True)
    elsewhere = CliRunner().invoke(app, ["grade", WORK])
    assert (elsewhere.exit_code, "is no course folder" in elsewhere.stderr) == (2, True)


def test_the_doctor_names_a_tier() -> None:
    said = CliRunner().invoke(app, ["grade", "--doctor"])
    assert said.exit_code == 0
    assert "ier" in said.stdout or "No sandbox" in said.stdout


def test_a_scheduler_in_the_clear_is_refused(graded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(graded)
    said = CliRunner().invoke(app, ["grade", WORK, "--scheduler", "tcp://192.0.2.1:8786"])
    assert (said.exit_code, "tls://" in said.stderr) == (2, True)


def test_report_and_export_write_files_and_say_where(graded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(graded)
    said = CliRunner().invoke(app, ["report", WORK])
    assert said.exit_code == 0, said.output
    assert f"{WORK}: report" in (graded / f"{WORK}-report.html").read_text(encoding="utf-8")
    said = CliRunner().invoke(app, ["export", WORK])
    assert "Waiting for points that a person gives, left as they were: ada" in said.stdout
    assert f"2 grades are in {WORK}-grades.csv" in said.stdout


def test_a_platforms_file_must_be_named(graded: Path) -> None:
    with pytest.raises(ValueError, match="name it with --file"):
        export_grades(graded, WORK, "canvas", file=None, out=None, column=None)
