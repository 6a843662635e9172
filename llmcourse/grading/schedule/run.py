"""A whole class, from the folders that were handed in to scores in the gradebook."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from llmcourse.data.files import atomic_path
from llmcourse.grading.cache import Cache, Result, fingerprint, key_of
from llmcourse.grading.intake import Problem, Received, receive
from llmcourse.grading.intake.ledger import FOLDER, Entry, read_ledger
from llmcourse.grading.intake.paths import is_student_id, printable
from llmcourse.grading.schedule.gradebook import Writer
from llmcourse.grading.schedule.pool import Open, spread
from llmcourse.grading.schedule.settings import Settings
from llmcourse.grading.schedule.work import Execute, Job, printed_notebook, split_execute


@dataclass
class Summary:
    """What one run did: counts, what intake found by student, and what a person must look at."""

    executed: int = 0
    from_cache: int = 0
    problems: dict[str, list[Problem]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)  # by student, of the run that computed the result

    @property
    def students(self) -> int:
        """How many submissions there are."""
        return self.executed + self.from_cache + len(self.failed)


@dataclass(frozen=True)
class Submission:
    """One submission on its way."""

    student: str
    moment: datetime | None
    received: Received
    job: Job


def grade(
    settings: Settings,
    assignment: str,
    options: Mapping[str, Any],
    open_executor: Open,
    width: int,
    *,
    shared_disc: bool = True,
    execute: Execute = split_execute,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Summary:
    """Grade everything under `submitted/` for one assignment.

    A result that is in the cache is not computed again, so a run that was killed goes on where it stopped. At the end
    the oldest results of other runs go, as far as all together are more than a GiB.

    Raises: ValueError where the assignment is unknown to the gradebook or has no source.
    """
    cache, students = Cache(settings.root / FOLDER / "cache"), list(students_of(settings, assignment))
    with Writer(settings, assignment) as writer:
        source, ledger = read_source(settings, assignment), read_ledger(settings.root, assignment)
        line = Line(settings, assignment, options, source, ledger, cache, shared_disc, execute, writer)
        line.tell = lambda done: progress(done, len(students))
        for job, result in spread(line.jobs(students), open_executor, width):
            line.take_back(job, result)
    cache.prune(line.keys)
    write_summary(settings.root, assignment, line.summary)
    return line.summary


@dataclass
class Line:
    """One run: submissions go in, results come out, in whatever order."""

    settings: Settings
    assignment: str
    options: Mapping[str, Any]
    source: str
    ledger: Mapping[str, Entry]
    cache: Cache
    shared_disc: bool
    execute: Execute
    writer: Writer
    tell: Callable[[int], None] = lambda done: None
    summary: Summary = field(default_factory=Summary)
    waiting: dict[str, Submission] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)  # of this run's results

    def jobs(self, students: Iterable[str]) -> Iterator[Job]:
        """What has to be computed; what the cache holds is written on the way."""
        for student in students:
            submission = self.take(student)
            result = self.cache.get(submission.job.key)
            if result is None:
                self.waiting[student] = submission
                yield submission.job
            else:
                self.summary.from_cache += 1
                self._finish(submission, result)

    def take_back(self, job: Job, result: Result) -> None:
        """Keep and write what was computed."""
        if not self.shared_disc:
            self.cache.put(job.key, result)
        self.summary.executed += result.notebook is not None
        self._finish(self.waiting.pop(job.student), result)

    def take(self, student: str) -> Submission:
        """Take one student's folder in, and name its result."""
        folder = self.settings.folder("submitted", student, self.assignment)
        received = receive(folder, self.assignment, self.writer.released)
        entry = self.ledger.get(student, Entry())
        problems = [*received.problems, *_time_problems(entry, folder)]
        if problems:
            self.summary.problems[student] = problems
        handed_in, code = printed_notebook(received.notebook), fingerprint()
        key = key_of(self.source, handed_in, self.options, code)
        self.keys.add(key)
        job = Job(key, student, self.source, handed_in, self.options, self.execute)
        # a worker elsewhere could have another version of the course, and keeps nothing itself
        job = replace(job, store=self.cache.folder) if self.shared_disc else replace(job, code=code)
        return Submission(student, entry.time, received, job)

    def _finish(self, submission: Submission, result: Result) -> None:
        """Write what came of one submission, whatever that is."""
        student, moment = submission.student, submission.moment
        self.summary.seconds[student] = round(result.seconds, 3)
        left_out = self.writer.put_beside(student, moment, submission.received.others)
        self._note(student, "refused-file", left_out)
        if result.notebook is None:
            self.summary.failed[student] = reason = result.error or "no reason is known"
            self.writer.fail(student, moment, submission.received.notebook, printable(reason, 300))
        elif self.writer.is_written(student, submission.job.key):
            self.writer.refresh_penalty(student, moment)
        else:
            odd = self.writer.write(student, moment, result.notebook)
            self._note(student, "no-clear-score", odd)
        self.tell(len(self.summary.seconds))

    def _note(self, student: str, code: str, lines: Sequence[str]) -> None:
        if lines:
            self.summary.problems.setdefault(student, []).extend(Problem(code, line) for line in lines)


def _time_problems(entry: Entry, folder: Path) -> list[Problem]:
    if entry.late and entry.time is None:
        return [Problem("late-unknown", "The platform says that this is late, and not by how much.")]
    if entry.time is None and (folder / "timestamp.txt").is_file():
        return [Problem("own-time", "Only a file of the student's own tells the time, and does not count.")]
    return []


def read_source(settings: Settings, assignment: str) -> str:
    """The instructor's notebook as text.

    Raises: ValueError where there is none.
    """
    path = settings.source(assignment)
    if not path.is_file():
        raise ValueError(f"There is no notebook {path}: grading needs the instructor's version.")
    return path.read_text(encoding="utf-8")


def students_of(settings: Settings, assignment: str) -> Iterator[str]:
    """Who has a folder for the assignment, in order; a folder whose name is no student's id is passed over."""
    top = settings.folder("submitted", "*", assignment).parents[1]
    for folder in sorted(top.iterdir()) if top.is_dir() else []:
        inside = folder / assignment
        if is_student_id(folder.name) and not folder.is_symlink() and (inside.is_dir() or inside.is_symlink()):
            yield folder.name


def summary_path(root: Path, assignment: str) -> Path:
    """Where a run leaves what the report needs beside the gradebook."""
    return root / FOLDER / assignment / "run.json"


def write_summary(root: Path, assignment: str, summary: Summary) -> None:
    """Keep the summary for the report."""
    with atomic_path(summary_path(root, assignment)) as scratch:
        scratch.write_text(json.dumps(asdict(summary), indent=1, ensure_ascii=False), encoding="utf-8")


def read_summary(root: Path, assignment: str) -> Summary:
    """The last run's summary; an empty one where there was none."""
    path = summary_path(root, assignment)
    if not path.is_file():
        return Summary()
    content = json.loads(path.read_text(encoding="utf-8"))
    problems = {who: [Problem(**each) for each in found] for who, found in content.pop("problems").items()}
    return Summary(**content, problems=problems)
