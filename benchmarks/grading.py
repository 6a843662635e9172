"""A class of 200 different submissions graded by `llmcourse grade` on two cores with an empty cache, against stock
`nbgrader autograde` on ten of them: python benchmarks/grading.py [--submissions 200] [--stock 10] [--jobs 2].

With --folder each side is kept there when it is done, and a run that was stopped goes on with the other.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from nbformat import NotebookNode

from llmcourse.data.files import atomic_path
from llmcourse.grading.course import Course
from llmcourse.grading.fixtures import (
    answers,
    points_in_words,
    read_fixtures,
    release_notebook,
    solution_notebook,
    submission,
)

ROOT = Path(__file__).resolve().parent.parent
EXERCISE = "06-attention"
# as nbgrader comes, but for the places and names of files, and for what the exercises need
STOCK = """
import os, sys
from pathlib import Path
c = get_config()
c.CourseDirectory.course_id = "llmcourse"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "exercises"
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
c.ClearSolutions.code_stub = {"python": "# your code here\\nraise NotImplementedError"}
c.ClearSolutions.text_stub = "*Write your answer here.*"
"""
# run by its own process, so that its start-up counts and its memory can be told
OURS = """
import sys, time
from pathlib import Path
from llmcourse.grading.schedule import grade, local_pool, read_settings
if __name__ == "__main__":
    settings, n_jobs = read_settings(Path.cwd()), int(sys.argv[1])
    grade(settings, sys.argv[2], settings.options, local_pool(n_jobs), 2 * n_jobs,
          progress=lambda done, total: print(time.time(), flush=True))
"""


def different(count: int, seed: int = 0) -> Iterator[NotebookNode]:
    """That many submissions, no two of which have the same code: right, unusual and wrong answers, mixed."""
    solution, release = solution_notebook(ROOT, EXERCISE), release_notebook(ROOT, EXERCISE)
    right, words, rng, seen = answers(solution), points_in_words(solution), random.Random(seed), set[str]()
    choices: Mapping[str, list[str]] = {name: [text] for name, text in right.items() if name not in words}
    for kind in ("mutants", "alternatives"):
        for fixture in read_fixtures(ROOT / "tests" / "exercises" / EXERCISE / kind):
            if len(fixture.replaces) == 1:
                ((name, text),) = fixture.replaces.items()
                choices.setdefault(name, []).append(text)
    while len(seen) < count:
        # mostly right, as a class is
        given = {name: texts[0] if rng.random() < 0.6 else rng.choice(texts) for name, texts in choices.items()}
        if (key := "\0".join(given.values())) not in seen:
            seen.add(key)
            yield submission(release, {**given, **dict.fromkeys(words, f"Because of {len(seen)}.")})


def course(folder: Path, notebooks: list[NotebookNode], config: str | None = None) -> Course:
    """A course folder with these submissions, as student000 and so on."""
    made = Course.create(folder, ROOT, [EXERCISE])
    if config is not None:
        (folder / "nbgrader_config.py").write_text(config, encoding="utf-8")
    made.nbgrader("generate_assignment", EXERCISE, "--force")
    for number, notebook in enumerate(notebooks):
        made.hand_in(f"student{number:03}", EXERCISE, notebook)
    return made


class Memory(threading.Thread):
    """The most memory that a process and all its children held together, shared pages counted once, in bytes."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.root, self.most, self.ended = psutil.Process(pid), 0, threading.Event()

    def run(self) -> None:
        took = 0.05
        # a look at all pages costs the very time that is measured
        while not self.ended.wait(40 * took):
            start, total = time.perf_counter(), 0
            with suppress(psutil.Error):
                for process in [self.root, *self.root.children(recursive=True)]:
                    with suppress(psutil.Error):  # submissions come and go
                        info = process.memory_full_info()
                        total += getattr(info, "pss", info.rss)
            self.most, took = max(self.most, total), time.perf_counter() - start


def ours(made: Course, n_jobs: int) -> tuple[list[float], int]:
    """When each submission was done, in seconds from the start of the process, and the most memory."""
    script = made.folder / "run.py"
    script.write_text(OURS, encoding="utf-8")
    start = time.time()
    command = [sys.executable, "-W", "ignore", str(script), str(n_jobs), EXERCISE]
    process = subprocess.Popen(command, cwd=made.folder, env=made.environment, stdout=subprocess.PIPE, text=True)
    memory = Memory(process.pid)
    memory.start()
    assert process.stdout is not None
    moments = [float(line) - start for line in process.stdout]
    memory.ended.set()
    if process.wait() != 0:
        raise RuntimeError(f"the grader ended with {process.returncode}")
    return moments, memory.most


def stock(made: Course, count: int) -> float:
    """Seconds for each submission of stock autograde, after what one run takes to start."""
    start = time.perf_counter()
    made.nbgrader("autograde", EXERCISE, "--student=student000")
    first = time.perf_counter() - start
    for path in (made.folder / "autograded").glob("*"):
        subprocess.run(["chmod", "-R", "u+w", str(path)], check=True)
        shutil.rmtree(path)
    start = time.perf_counter()
    made.nbgrader("autograde", EXERCISE)
    return (time.perf_counter() - start - first) / (count - 1)


def points(made: Course) -> dict[str, dict[str, float | None]]:
    """The automatic points of each submission."""
    found = made.scores(EXERCISE)
    return {who: {name: score.points for name, score in cells.items()} for who, cells in found.items()}


def kept(path: Path, measure: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
    """What a side measured, in a fresh folder beside the file that keeps it; not again where it is there already."""
    if not path.is_file():
        folder = path.with_suffix("")
        if folder.exists():  # a run that was stopped
            shutil.rmtree(folder)
        result = {**measure(folder), "load": os.getloadavg()[0], "when": time.strftime("%Y-%m-%d %H:%M")}
        with atomic_path(path) as scratch:
            scratch.write_text(json.dumps(result), encoding="utf-8")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def compare(folder: Path, n_submissions: int, n_stock: int, n_jobs: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Both sides, ours first."""
    notebooks = list(different(n_submissions))

    def our_side(place: Path) -> dict[str, Any]:
        made = course(place, notebooks)
        moments, memory = ours(made, n_jobs)
        return {"moments": moments, "memory": memory, "points": points(made)}

    def their_side(place: Path) -> dict[str, Any]:
        made = course(place, notebooks[:n_stock], STOCK)
        return {"seconds": stock(made, n_stock), "points": points(made)}

    name = f"{n_submissions}-{n_jobs}"
    return kept(folder / f"ours-{name}.json", our_side), kept(folder / f"stock-{n_stock}.json", their_side)


def main() -> None:
    """Print the comparison as a row of a table, and what stands beside it."""
    options = argparse.ArgumentParser()
    options.add_argument("--folder", type=Path, help="where to keep what is done; else nothing is kept")
    options.add_argument("--submissions", type=int, default=200)
    options.add_argument("--stock", type=int, default=10)
    options.add_argument("--jobs", type=int, default=2)
    chosen = options.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as scratch:
        folder = chosen.folder or Path(scratch)
        our_side, their_side = compare(folder, chosen.submissions, chosen.stock, chosen.jobs)
    moments, theirs = our_side["moments"], their_side["seconds"]
    same = all(our_side["points"][who] == cells for who, cells in their_side["points"].items())
    each = (moments[-1] - moments[0]) / (len(moments) - 1)
    quarter = len(moments) // 4
    early, late = (moments[quarter] - moments[0]) / quarter, (moments[-1] - moments[-1 - quarter]) / quarter
    print("| work | peer | ours, s | peer's, s | ratio | goal | |\n|---|---|---|---|---|---|---|")
    reached = "reached" if theirs / each >= 30 else "missed"
    print(
        f"| grading one of {len(moments)} different submissions, {chosen.jobs} jobs, after start-up | "
        f"stock autograde, one of {chosen.stock} | {each:.3f} | {theirs:.2f} | {theirs / each:.1f}× | 30× | {reached} |"
    )
    print(f"start-up to the first score: {moments[0]:.1f} s; all {len(moments)}: {moments[-1]:.1f} s")
    print(f"first quarter: {early:.3f} s each; last quarter: {late:.3f} s each")
    print(f"most memory, all processes together: {our_side['memory'] / 2**20:.0f} MiB")
    print(f"scores of the {chosen.stock} equal stock's: {'yes' if same else 'NO'}")
    for name, side in (("ours", our_side), ("stock", their_side)):
        print(f"{name}: measured {side['when']}, load {side['load']:.1f}")


if __name__ == "__main__":
    main()
