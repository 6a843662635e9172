"""Our way and a peer's way of doing one piece of work, timed in turn in one process on one thread."""

import gc
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path


@dataclass(frozen=True)
class Timing:
    """Seconds of processor time that each round took, ours and the peer's, and the ratio that was aimed at."""

    work: str
    peer: str
    goal: float
    ours: list[float]
    peers: list[float]

    @property
    def ratio(self) -> float:
        """How many times as long the peer takes: the median over the rounds, each compared with itself."""
        return statistics.median(self._ratios())

    @property
    def spread(self) -> tuple[float, float]:
        """The smallest and the greatest ratio of a round."""
        ratios = self._ratios()
        return min(ratios), max(ratios)

    def _ratios(self) -> list[float]:
        return [peer / ours for ours, peer in zip(self.ours, self.peers, strict=True)]


def time_in_turn(
    work: str,
    ours: Callable[[], object],
    peers: Callable[[], object],
    *,
    peer: str,
    goal: float,
    rounds: int = 5,
) -> Timing:
    """Both ways, `rounds` times each and in turn, so that whatever slows the machine slows both.

    The order changes with every round, and one round before the first is not counted.
    """
    seconds: dict[str, list[float]] = {"ours": [], "peers": []}
    for number in range(rounds + 1):
        both = [("ours", ours), ("peers", peers)]
        for name, run in both if number % 2 else both[::-1]:
            gc.collect()
            start = time.process_time()
            run()
            if number:
                seconds[name].append(time.process_time() - start)
    return Timing(work, peer, goal, seconds["ours"], seconds["peers"])


def report(timings: list[Timing], packages: list[str]) -> str:
    """A table in Markdown, under a line that says when and on what machine the times were taken."""
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    where = f"{date.today().isoformat()}, {machine()}, Python {platform.python_version()}, {versions}"
    lines = [
        f"{where}; processor time, one thread, median of the rounds",
        "",
        "| work | peer | ours, s | peer's, s | ratio | spread | goal | |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for timing in timings:
        low, high = timing.spread
        lines.append(
            f"| {timing.work} | {timing.peer} | {statistics.median(timing.ours):.3f} | "
            f"{statistics.median(timing.peers):.3f} | {timing.ratio:.2f}× | {low:.2f}–{high:.2f} | {timing.goal:g}× | "
            f"{'reached' if timing.ratio >= timing.goal else 'missed'} |"
        )
    return "\n".join(lines)


def machine() -> str:
    """The processor's name where the system tells it, else its kind."""
    described = Path("/proc/cpuinfo")
    if described.is_file():
        for line in described.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
