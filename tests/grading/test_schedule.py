"""Grading a class: whatever the parallelism, the same scores; whatever goes wrong, nobody else's are touched."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbgrader.api import Gradebook

from llmcourse.grading.cache import Cache, Result, fingerprint, key_of
from llmcourse.grading.intake.ledger import Entry, write_ledger
from llmcourse.grading.schedule import Job, Summary, cluster, grade, local_pool, read_settings, spread
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


# executors


def job(name: str, answer: str) -> Job:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(answer, id="a")])
    text = nbformat.writes(notebook)
    return Job(name, name, text, text, {}, fakes.execute)


@pytest.mark.slow
def test_a_submission_that_kills_its_process_is_told_apart(tmp_path: Path) -> None:
    jobs = [job(f"s{n}", "die" if n in (2, 3) else "right") for n in range(6)]
    results = {done.student: result for done, result in spread(jobs, local_pool(2), 4)}
    assert sorted(results) == [f"s{n}" for n in range(6)]
    assert {name for name, result in results.items() if result.notebook is None} == {"s2", "s3"}
    assert "died" in str(results["s2"].error)


def test_few_jobs_are_under_way_at_a_time() -> None:
    begun = 0

    def jobs() -> Iterator[Job]:
        nonlocal begun
        for n in range(20):
            begun += 1
            yield job(f"s{n}", "right")

    done = 0
    for _ in spread(jobs(), one_thread, 3):
        done += 1
        assert begun <= done + 3
    assert done == 20


def test_an_executor_that_gives_up_on_one_job_goes_on_with_the_others() -> None:
    class Moody(ThreadPoolExecutor):
        def submit(self, function: Any, *args: Any, **kwargs: Any) -> Any:
            if args[0].student == "s1":
                return super().submit(_give_up)
            return super().submit(function, *args, **kwargs)

    results = {done.student: result.error for done, result in spread([job(f"s{n}", "") for n in range(3)], Moody, 2)}
    assert results == {"s0": None, "s1": "KeyError: 'workers'", "s2": None}


def _give_up() -> Result:
    raise KeyError("workers")


@pytest.mark.parametrize(
    ("address", "reason"), [("tcp://10.0.0.1:8786", "tls://"), ("tls://10.0.0.1:8786", "--tls-ca")]
)
def test_submissions_never_travel_in_the_clear(address: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        cluster(address)


def export(course: Path) -> bytes:
    rows = json.dumps(scores(course), default=str, sort_keys=True)
    notebooks = [path.read_text(encoding="utf-8") for path in sorted((course / "autograded").rglob("*.ipynb"))]
    return "\n".join([rows, *notebooks]).encode()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_one_job_two_jobs_and_a_cluster_over_tls_give_the_same_bytes(fresh_course: Path, tmp_path: Path) -> None:
    found = []
    with two_workers(tmp_path) as on_cluster:
        for name, opens, shared in (("a", local_pool(1), True), ("b", local_pool(2), True), ("c", on_cluster, False)):
            course = Path(shutil.copytree(fresh_course, tmp_path / name))
            for n in range(6):
                hand_in(course, f"student{n}", "right = 1" if n % 2 else "raise" if n == 4 else "wrong")
            settings = read_settings(course)
            grade(settings, WORK, {}, opens, 4, shared_disc=shared, execute=fakes.execute)
            assert len(list((course / ".grading" / "cache").rglob("*.json"))) == 5
            found.append(export(course))
    assert found[0] == found[1] == found[2]


@contextmanager
def two_workers(folder: Path) -> Iterator[Any]:
    """A dask cluster of two worker processes on this machine, with TLS between all parts."""
    from distributed import LocalCluster
    from distributed.security import Security

    security = Security.temporary()
    files = {}
    for name, content in (
        ("ca_file", security.tls_ca_file),
        ("cert", security.tls_client_cert),
        ("key", security.tls_client_key),
    ):
        files[name] = folder / f"{name}.pem"
        files[name].write_text(str(content), encoding="utf-8")
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, security=security, protocol="tls", dashboard_address=None
    ) as made:
        yield cluster(made.scheduler_address, **files)


# a kill

KILLED = """
import sys
from pathlib import Path
from llmcourse.grading.schedule import grade, local_pool, read_settings
from tests.grading import fakes
if __name__ == "__main__":
    course, trace = Path(sys.argv[1]), sys.argv[2]
    grade(read_settings(course), "area", {"wait": 0.05, "trace": trace}, local_pool(2), 4, execute=fakes.execute)
"""


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_a_run_killed_at_random_moments_loses_no_score_and_repeats_no_finished_work(
    root: Path, course: Path, tmp_path: Path
) -> None:
    trace = tmp_path / "trace.txt"
    for n in range(40):
        hand_in(course, f"student{n:02}", f"right = {n}")
    script = tmp_path / "killed.py"
    script.write_text(KILLED, encoding="utf-8")
    rng = random.Random(7)
    cache = course / ".grading" / "cache"
    kept_before: set[str] = set()
    for attempt in range(40):
        before = len(trace.read_text(encoding="utf-8").splitlines()) if trace.exists() else 0
        kept_before = {path.name for path in cache.rglob("*.json")}
        process = subprocess.Popen(
            [sys.executable, str(script), str(course), str(trace)],
            cwd=root,
            env={**os.environ, "PYTHONPATH": str(root)},
        )
        if attempt < 4:
            wait_for(lambda seen=before: trace.exists() and len(trace.read_text().splitlines()) > seen + 1, process)
            time.sleep(rng.uniform(0, 0.5))
            process.send_signal(signal.SIGKILL)
        status = process.wait()
        time.sleep(0.3)  # workers notice that their parent is gone
        lines = trace.read_text(encoding="utf-8").splitlines()
        now = {path.name for path in cache.rglob("*.json")}
        assert kept_before <= now
        # what was finished is not run again: each new line is work that was not kept before
        assert len(lines) - before <= 40 - len(kept_before)
        if status == 0:
            break
    assert attempt >= 2
    found = scores(course)
    assert len(found) == 40
    assert all(each["area_test"] == (2.0, False) for each in found.values())
    assert sorted(set(lines)) == sorted(f"right = {n}" for n in range(40))
    assert len(lines) <= 40 + 2 * 4  # two workers, four kills: at most what was under way


def wait_for(condition: Any, process: "subprocess.Popen[bytes]") -> None:
    while not condition() and process.poll() is None:
        time.sleep(0.02)
