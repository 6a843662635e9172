"""Work spread over processes and a cluster: the same bytes whatever the parallelism, and nothing lost to a kill."""

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
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pytest

from llmcourse.grading.cache import Result
from llmcourse.grading.schedule import Job, cluster, grade, local_pool, read_settings, spread
from llmcourse.grading.schedule.work import work
from tests.grading import fakes
from tests.grading.classes import WORK, hand_in, scores
from tests.grading.clusters import two_workers
from tests.grading.test_schedule import one_thread


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
    with two_workers(tmp_path) as made:
        on_cluster = cluster(made.address, ca_file=made.ca_file, cert=made.cert, key=made.key)
        for name, opens, shared in (("a", local_pool(1), True), ("b", local_pool(2), True), ("c", on_cluster, False)):
            course = Path(shutil.copytree(fresh_course, tmp_path / name))
            for n in range(6):
                hand_in(course, f"student{n}", f"right = {n}" if n % 2 else "raise" if n == 4 else f"wrong = {n}")
            settings = read_settings(course)
            grade(settings, WORK, {}, opens, 4, shared_disc=shared, execute=fakes.execute)
            assert len(list((course / ".grading" / "cache").rglob("*.json"))) == 5
            found.append(export(course))
    assert found[0] == found[1] == found[2]


# a kill

KILLED = """
import sys
from pathlib import Path
from llmcourse.grading.schedule import grade, local_pool, read_settings, run
from tests.grading import fakes
run.fingerprint = lambda: "pinned"  # somebody may edit the package while this test runs
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


def test_a_worker_with_another_version_of_the_course_is_refused() -> None:
    result = work(replace(job("s", "right"), code="another"))
    assert (result.notebook, "another version" in str(result.error)) == (None, True)
