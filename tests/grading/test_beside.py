"""What lies beside a graded notebook: what a person may want to see, and nothing that does harm."""

import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import pytest

from llmcourse.grading.intake import receive
from llmcourse.grading.intake.ledger import Entry, write_ledger
from llmcourse.grading.intake.limits import MIB, Limits
from llmcourse.grading.intake.plugins import tidy
from llmcourse.grading.schedule.beside import put_beside
from tests.grading.classes import WORK, hand_in, instructors
from tests.grading.test_schedule import run

SMALL = Limits(file_bytes=1000)


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def graded(course: Path, student: str = "ada") -> dict[str, str]:
    """All that lies beside the graded notebook."""
    folder = course / "autograded" / student / WORK
    paths = [path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink()]
    names = {path.relative_to(folder).as_posix(): path for path in paths if path.name != f"{WORK}.ipynb"}
    return {name: path.read_text(encoding="utf-8") for name, path in names.items()}


def test_a_folder_of_graded_work_holds_what_came_last_and_nothing_older(course: Path) -> None:
    folder = hand_in(course, "ada", "right = 1").parent
    write(folder, {"table.csv": "1", "data/a.txt": "a"})
    write_ledger(course, WORK, {"ada": Entry("2026-10-01T10:00:00+00:00")})
    run(course)
    assert graded(course) == {"table.csv": "1", "data/a.txt": "a", "timestamp.txt": "2026-10-01 10:00:00 UTC\n"}
    for path in (course / "autograded").rglob("*.*"):
        path.chmod(0o444)  # as nbgrader leaves them
    write(folder, {"table.csv": "2", "data.txt": "b"})
    (folder / "data" / "a.txt").unlink()
    assert run(course).from_cache == 1  # the answers are the same
    assert graded(course) == {"table.csv": "2", "data.txt": "b", "timestamp.txt": "2026-10-01 10:00:00 UTC\n"}
    assert not (course / "autograded" / "ada" / WORK / "data").exists()


def test_the_instructors_files_count_but_for_those_that_are_the_students_own(course: Path) -> None:
    write(course / "solutions" / WORK, {"helper.py": "given", "own.py": "given", "data/x.csv": "given"})
    with (course / "nbgrader_config.py").open("a", encoding="utf-8") as config:
        config.write(f"\nc.Autograde.exclude_overwriting = {{{WORK!r}: ['own.py']}}\n")
    folder = hand_in(course, "ada", "right = 1").parent
    write(folder, {"Helper.py": "mine", "own.py": "mine", "data": "a file where a folder must be"})
    hand_in(course, "ben", "right = 2")
    summary = run(course)
    assert graded(course) == {"helper.py": "given", "own.py": "mine", "data/x.csv": "given"}
    assert graded(course, "ben") == {"helper.py": "given", "data/x.csv": "given"}
    assert [each.text for each in summary.problems["ada"]][-1].startswith("data was left out")


def test_links_pipes_and_what_is_too_large_stay_behind_on_both_ways(course: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("gradebook", encoding="utf-8")
    folder = hand_in(course, "ada", "right = 1").parent
    write(folder, {"small.txt": "x", "big.bin": "x" * (20 * MIB + 1), f"x{WORK}.ipynb/inside.txt": "no"})
    (folder / "link.txt").symlink_to(secret)
    (folder / "linked").symlink_to(tmp_path, target_is_directory=True)
    os.mkfifo(folder / "pipe")
    (folder / "timestamp.txt").mkdir()
    write(folder / "timestamp.txt", {"timestamp.txt": "2020-01-01 00:00:00 UTC"})
    summary = run(course)
    assert graded(course) == {"small.txt": "x"}
    told = " ".join(each.text for each in summary.problems["ada"])
    assert all(name in told for name in ("link.txt", "linked", "pipe", "big.bin was left out: it is too large"))
    tidy(folder, course)
    assert sorted(path.name for path in folder.rglob("*") if not path.is_dir()) == [f"{WORK}.ipynb", "small.txt"]
    assert secret.read_text(encoding="utf-8") == "gradebook"


def test_all_files_together_have_a_bound(course: Path) -> None:
    folder = hand_in(course, "ada", "right = 1").parent
    write(folder, {f"{name}.txt": "x" * 900 for name in "abcd"})
    received = receive(folder, WORK, instructors(), Limits(folder_bytes=2500))
    assert [path.name for path in received.others] == ["a.txt", "b.txt"]
    assert [each.code for each in received.problems].count("refused-file") == 2
    assert received.readable


def test_a_file_that_became_a_link_or_grew_since_it_was_taken_in_is_left_out(tmp_path: Path) -> None:
    write(tmp_path, {"secret": "gradebook", "grown": "x" * 1001, "plain": "x"})
    (tmp_path / "link").symlink_to(tmp_path / "secret")
    own = {PurePosixPath(name): tmp_path / name for name in ("link", "grown", "plain", "gone")}
    left_out = put_beside(tmp_path / "graded", {}, own, limits=SMALL)
    assert [line.split()[0] for line in left_out] == ["link", "grown", "gone"]
    assert [path.name for path in (tmp_path / "graded").iterdir()] == ["plain"]


@pytest.mark.parametrize("name", [f"{WORK}.ipynb", f"{WORK}.ipynb/a/b"])
def test_work_in_a_folder_that_is_named_as_the_notebook_is_found_on_both_ways(course: Path, name: str) -> None:
    path = hand_in(course, "ada", "right = 1")
    folder = path.parent
    data = path.read_bytes()
    path.unlink()
    place = folder / name / path.name
    place.parent.mkdir(parents=True)
    place.write_bytes(data)
    first = receive(folder, WORK, instructors())
    assert first.readable
    tidy(folder, course)
    assert path.is_file()
    assert receive(folder, WORK, instructors()).notebook == first.notebook
