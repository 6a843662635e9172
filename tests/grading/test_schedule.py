"""Grading a class: whatever the parallelism, the same scores; whatever goes wrong, nobody else's are touched."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbgrader.api import Gradebook

from llmcourse.grading.cache import Cache, Result, fingerprint, key_of
from llmcourse.grading.intake.ledger import Entry, write_ledger
from llmcourse.grading.schedule import Summary, grade, read_settings
from llmcourse.grading.schedule.run import read_summary
from llmcourse.grading.schedule.settings import course_folder
from tests.grading import fakes
from tests.grading.classes import WORK, hand_in, scores


def one_thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1)


def run(course: Path, opens: Any = one_thread, **options: Any) -> Summary:
    return grade(read_settings(course), WORK, options, opens, 4, execute=fakes.execute)


# the cache


def test_a_result_comes_back_as_it_was_put_and_a_damaged_one_not_at_all(tmp_path: Path) -> None:
    cache, result = Cache(tmp_path), Result("{}", 1.5)
    cache.put("ab12", result)
    assert cache.get("ab12") == result
    assert cache.get("ab13") is None
    (path,) = tmp_path.rglob("*.json")
    whole = path.read_text(encoding="utf-8")
    for damaged in (whole[:-3], "", "[]", "{}", whole.replace("ab12", "ab99"), whole.replace("1.5", '1, "x": 2')):
        path.write_text(damaged, encoding="utf-8")
        assert cache.get("ab12") is None, damaged
    cache.put("cd", Result(None, 1.0, "failed"))
    assert cache.get("cd") is None


def test_the_oldest_results_go_first_and_never_those_that_are_needed(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    for age, key in enumerate(("aa", "bb", "cc", "dd")):
        cache.put(key, Result("x" * 1000, 0.0))
        (path,) = tmp_path.rglob(f"{key}.json")
        os.utime(path, (1000 - age, 1000 - age))
    size = path.stat().st_size
    cache.prune({"dd"}, 4 * size)
    assert all(cache.get(key) for key in ("aa", "bb", "cc", "dd"))
    cache.prune({"dd"}, 2 * size)
    assert [key for key in ("aa", "bb", "cc", "dd") if cache.get(key)] == ["aa", "dd"]
    cache.prune({"dd"}, 0)
    assert [key for key in ("aa", "dd") if cache.get(key)] == ["dd"]


def test_a_run_prunes_and_keeps_its_own_results(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cache.prune, "__defaults__", (0,))
    hand_in(course, "ada", "right = 1")
    run(course)
    hand_in(course, "ada", "right = 2")
    run(course)
    assert run(course).from_cache == 1
    assert len([*(course / ".grading" / "cache").rglob("*.json")]) == 1


def test_every_part_of_the_work_changes_the_key() -> None:
    base = ("source", "handed in", {"a": 1, "b": 2}, "code")
    keys = {key_of(*base), key_of("source!", *base[1:]), key_of("source", "handed", base[2], "code")}
    keys |= {key_of("source", "handed in", {"a": 2, "b": 2}, "code"), key_of("source", "handed in", base[2], "code!")}
    keys |= {key_of("source handed", " in", base[2], "code")}
    assert len(keys) == 6
    assert key_of("source", "handed in", {"b": 2, "a": 1}, "code") == key_of(*base)
    assert len(fingerprint()) == 64


# scores


def test_each_submission_gets_what_its_answers_earned(course: Path) -> None:
    hand_in(course, "ada", "right = 1")
    hand_in(course, "ben", "wrong = 1")
    hand_in(course, "cem", "right = 1", "Because.")
    summary = run(course)
    assert (summary.executed, summary.from_cache, summary.failed) == (3, 0, {})
    found = scores(course)
    assert found["ada"]["area_check"] == (1.0, False)
    assert found["ada"]["area_test"] == (2.0, False)
    assert found["ada"]["why"] == (None, True)
    assert found["ben"]["area_test"] == (0.0, False)
    notebook = nbformat.read(course / "autograded" / "ben" / WORK / f"{WORK}.ipynb", as_version=4)
    assert notebook.cells[0].source == "wrong = 1"


def test_nothing_is_run_twice_and_a_changed_answer_is(course: Path) -> None:
    hand_in(course, "ada", "right = 1")
    hand_in(course, "ben", "wrong = 1")
    run(course)
    again = run(course)
    assert (again.executed, again.from_cache) == (0, 2)
    hand_in(course, "ben", "right = 2")
    third = run(course)
    assert (third.executed, third.from_cache) == (1, 1)
    assert scores(course)["ben"]["area_test"] == (2.0, False)


def test_a_persons_points_stay_and_are_not_asked_for_twice(course: Path) -> None:
    hand_in(course, "ada", "right = 1")
    write_ledger(course, WORK, {"ada": Entry("2026-10-01T13:00:00+00:00")})
    run(course)
    assert scores(course)["ada"]["late"] == pytest.approx(0.3)
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        mark = gradebook.find_grade("why", WORK, WORK, "ada")
        mark.manual_score, mark.needs_manual_grade = 3.0, False
        gradebook.db.commit()
    run(course)
    found = scores(course)["ada"]
    assert found["why"] == (None, False)
    assert found["late"] == pytest.approx(0.6)  # of all points that are known by now


def test_the_time_is_the_platforms_and_never_the_students(course: Path) -> None:
    for student in ("ada", "ben"):
        path = hand_in(course, student, "right = 1")
        (path.parent / "timestamp.txt").write_text("2020-01-01 00:00:00 UTC", encoding="utf-8")
    write_ledger(course, WORK, {"ada": Entry("2026-10-02T12:00:01+00:00")})
    summary = run(course)
    found = scores(course)
    assert found["ada"]["time"] == datetime(2026, 10, 2, 12, 0, 1)
    assert found["ada"]["late"] == pytest.approx(0.6)
    assert (found["ben"]["time"], found["ben"]["late"]) == (None, None)
    assert [each.code for each in summary.problems["ben"]] == ["missing-cell", "own-time"]


# what goes wrong


def test_one_bad_submission_stops_nobody_and_is_told(course: Path) -> None:
    hand_in(course, "ada", "right = 1")
    hand_in(course, "ben", "raise")
    hand_in(course, "cem", "x").write_bytes(b"{")
    (course / "submitted" / "dora" / WORK).mkdir(parents=True)
    (course / "submitted" / "eli").mkdir()
    (course / "submitted" / "eli" / WORK).symlink_to(course / "submitted" / "ada" / WORK, target_is_directory=True)
    (course / "submitted" / ".flo" / WORK).mkdir(parents=True)
    summary = run(course)
    assert summary.failed == {"ben": "RuntimeError: this submission raises"}
    assert [each.code for each in summary.problems["cem"]] == ["broken-notebook"]
    assert [each.code for each in summary.problems["dora"]] == ["missing-notebook"]
    assert [each.code for each in summary.problems["eli"]] == ["refused-file", "missing-notebook"]
    found = scores(course)
    assert sorted(found) == ["ada", "ben", "cem", "dora", "eli"]
    assert found["ada"]["area_test"] == (2.0, False)
    assert found["cem"]["area_test"] == found["eli"]["area_test"] == (0.0, False)
    assert read_summary(course, WORK) == summary


def test_a_regrade_that_fails_leaves_no_old_score(course: Path) -> None:
    hand_in(course, "ada", "right = 1")
    run(course)
    hand_in(course, "ada", "raise")
    run(course)
    found = scores(course)["ada"]
    assert found["area_check"] == found["area_test"] == (None, True)
    notebook = nbformat.read(course / "autograded" / "ada" / WORK / f"{WORK}.ipynb", as_version=4)
    assert "grader failed" in notebook.cells[0].source


def test_an_unknown_assignment_and_a_folder_that_is_no_course_are_told_in_one_line(
    course: Path, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=r"does not know other\. Run: nbgrader generate_assignment other"):
        grade(read_settings(course), "other", {}, one_thread, 1, execute=fakes.execute)
    with pytest.raises(ValueError, match="no course folder"):
        course_folder(tmp_path)
    assert course_folder(course / "solutions") == course
