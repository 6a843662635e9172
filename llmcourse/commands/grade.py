"""Grade what a class handed in."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from llmcourse.commands.errors import RunFailed

if TYPE_CHECKING:
    from llmcourse.grading.schedule import Summary


def show_sandbox() -> None:
    """Print which sandbox this machine gives, why, and what would raise it."""
    from llmcourse.grading.sandbox import doctor, probe

    print(doctor(probe()))


def grade_class(
    start: Path,
    assignment: str,
    *,
    n_jobs: int = 2,
    scheduler: str | None = None,
    tls: tuple[Path | None, Path | None, Path | None] = (None, None, None),
    sandbox: bool = True,
) -> None:
    """Grade one assignment in the course folder at or above `start`, and print what a person should look at.

    Results are kept in `.grading/cache`, at most a GiB of them beside those of this run; the oldest go first.

    Raises: RunFailed naming the submissions that the grader failed on; ValueError for a folder that is no course.
    """
    # before torch starts its threads, here and in the workers
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from llmcourse.grading.sandbox import SandboxUnavailable
    from llmcourse.grading.schedule import cluster, grade, local_pool, read_settings
    from llmcourse.grading.schedule.settings import course_folder

    settings = read_settings(course_folder(start.resolve()))
    ca_file, cert, key = tls
    opens = local_pool(n_jobs) if scheduler is None else cluster(scheduler, ca_file=ca_file, cert=cert, key=key)
    options = settings.options if sandbox else {**settings.options, "sandbox": "none"}
    width = 2 * n_jobs if scheduler is None else 64
    try:
        with tqdm(unit="submission", dynamic_ncols=True) as bar:
            local = scheduler is None
            summary = grade(settings, assignment, options, opens, width, shared_disc=local, progress=shown_by(bar))
    except SandboxUnavailable as error:
        raise RunFailed(str(error)) from error
    tell(summary)


def shown_by(bar: "tqdm[Any]") -> Callable[[int, int], None]:
    """A function that moves the bar to where the work is."""

    def show(done: int, total: int) -> None:
        bar.total = total
        bar.update(done - bar.n)

    return show


def tell(summary: "Summary") -> None:
    """Print what a person should look at.

    Raises: RunFailed naming the submissions that the grader failed on.
    """
    for student, problems in sorted(summary.problems.items()):
        for problem in problems:
            print(f"{student}: {problem.text}")
    print(f"{summary.students} submissions: {summary.executed} run, {summary.from_cache} known from before.")
    if summary.failed:
        lines = [f"{student}: {reason}" for student, reason in sorted(summary.failed.items())]
        raise RunFailed(f"The grader failed on {len(lines)} submissions. Look at them by hand:\n" + "\n".join(lines))
