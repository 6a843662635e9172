"""Run the tests in an order that fails early, and never pass over one in silence."""

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from llmcourse.commands.errors import RunFailed
from llmcourse.commands.places import environment, in_ci
from llmcourse.commands.system import provide

# of pytest: every test was left out
NOTHING_RAN = 5


@dataclass(frozen=True)
class Phase:
    """One run of pytest: which markers it selects, and over how many processes."""

    name: str
    select: str
    processes: int
    spread: tuple[str, ...] = ()


# Every test falls into exactly one phase. The book is built once, so its tests share one process; of the tests that
# grade, each file has one process to itself: what it starts once serves all its tests.
PHASES = (
    Phase("fast", "not slow and not book and not browser and not grading", 2),
    Phase("slow", "slow and not book and not browser and not grading", 2),
    Phase("book and browser", "(book or browser) and not grading", 0),
    Phase("grading", "grading", 2, ("--dist", "loadfile")),
)


def run_tests(root: Path, arguments: Sequence[str] = ()) -> None:
    """Run every phase, or with `arguments` one plain pytest with them.

    Raises: RunFailed naming the phases that failed.
    """
    if arguments:
        if _pytest(root, arguments) != 0:
            raise RunFailed("The tests failed.")
        return
    missing = {need.marker for need in provide()}
    if missing and in_ci():
        print("CI is set: a test that is left out will fail the run.", flush=True)
    table = []
    for phase in PHASES:
        start = time.perf_counter()
        print(f"\n── {phase.name} tests", flush=True)
        spread = ["-n", str(phase.processes), *phase.spread] if phase.processes else []
        status = _pytest(root, ["-m", phase.select, *spread])
        table.append((phase.name, time.perf_counter() - start, status))
    print()
    for name, seconds, status in table:
        print(f"{name:<20}{seconds:7.0f} s   {_verdict(status)}")
    failed = [name for name, _, status in table if status != 0]
    if failed:
        raise RunFailed(f"The tests failed: {', '.join(failed)}.")
    print(f"All tests passed in {sum(seconds for _, seconds, _ in table) / 60:.1f} minutes.")


def _verdict(status: int) -> str:
    return {0: "passed", NOTHING_RAN: "FAILED: no test was found"}.get(status, f"FAILED (pytest exit code {status})")


def _pytest(root: Path, arguments: Sequence[str]) -> int:
    command = [sys.executable, "-m", "pytest", *arguments]
    return subprocess.run(command, cwd=root, env=environment(OMP_NUM_THREADS="1"), check=False).returncode
