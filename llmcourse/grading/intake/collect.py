"""nbgrader's `zip_collect` with archives unpacked safely and the names of Canvas and Moodle understood."""

import shutil
import zoneinfo
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nbgrader.plugins import ExtractorPlugin, FileNameCollectorPlugin
from traitlets import Unicode

from llmcourse.grading.intake.archive import unpack
from llmcourse.grading.intake.ledger import Entry, read_times, write_ledger
from llmcourse.grading.intake.limits import Limits, Problem
from llmcourse.grading.intake.paths import printable, why_unsafe
from llmcourse.grading.intake.platforms import Arrival, guess_platform, read_name, same_work


class SafeExtractor(ExtractorPlugin):
    """Unpacks what was downloaded: one folder for each archive, no link, no path out of it, no bomb."""

    def extract(self, archive_path: str, extracted_path: str) -> None:
        """Unpack the archives of a folder, and copy its notebooks. Called by `nbgrader zip_collect`."""
        for problem in extract_all(Path(archive_path), Path(extracted_path), Limits()):
            self.log.warning(problem.text)


class Collector(FileNameCollectorPlugin):
    """Tells whose work a file is; one notebook counts for each student, the latest."""

    platform = Unicode("", help="canvas, moodle or timed; empty to tell from the names of all files").tag(config=True)
    timezone = Unicode("UTC", help="The zone of times without one in the tables beside the archive").tag(config=True)
    plan: dict[Path, dict[str, Any]] | None = None

    def collect(self, submitted_file: str) -> dict[str, Any] | None:
        """Student, file and time for one unpacked file; None to leave it. Called by `nbgrader zip_collect`."""
        if self.plan is None:
            self.plan = self._plan()
        return self.plan.get(Path(submitted_file))

    def _plan(self) -> dict[Path, dict[str, Any]]:
        app = self.parent
        course, assignment = Path(app.coursedir.root), app.coursedir.assignment_id
        extracted = Path(app._format_collect_path(app.extracted_directory))
        times = read_times(extracted.parent, zoneinfo.ZoneInfo(self.timezone) if self.timezone != "UTC" else UTC)
        chosen, problems = choose(extracted, assignment, times, self.platform)
        for problem in problems:
            self.log.warning(problem.text)
        ids = self._own_ids({arrival.student for arrival in chosen.values()})
        entries = {
            ids[each.student]: Entry(each.moment.isoformat() if each.moment else None, each.late, each.file)
            for each in chosen.values()
        }
        write_ledger(course, assignment, entries)
        return {
            path: {"student_id": ids[each.student], "file_id": assignment, "timestamp": _naive(each.moment)}
            for path, each in chosen.items()
        }

    def _own_ids(self, students: Iterable[str]) -> dict[str, str]:
        """The class list's ids, where it says which number a student has on the platform."""
        from nbgrader.api import Gradebook

        with Gradebook(self.parent.coursedir.db_url, self.parent.coursedir.course_id) as gradebook:
            known = {each.lms_user_id: each.id for each in gradebook.students if each.lms_user_id}
        return {student: known.get(student, student) for student in students}


def _naive(moment: datetime | None) -> datetime | None:
    # nbgrader keeps times in UTC, without a zone
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None)


def extract_all(archives: Path, destination: Path, limits: Limits) -> list[Problem]:
    """Unpack every archive of a folder, and those that students handed in, one level deep; copy loose files."""
    problems: list[Problem] = []
    for count, entry in enumerate(sorted(archives.iterdir())):
        if entry.is_symlink() or not entry.is_file() or why_unsafe(entry.name):
            problems.append(Problem("refused-file", f"{printable(entry.name)} is not a file with a plain name."))
        elif entry.suffix.lower() == ".zip":
            # numbered, as names that differ in their case are the same on some file systems
            unpacked = unpack(entry, destination / f"{count:02}-{entry.stem}", limits)
            problems += unpacked.problems
            for path in unpacked.files.values():
                if path.suffix.lower() == ".zip":
                    problems += _unpack_own(path, limits)
        else:
            shutil.copyfile(entry, destination / entry.name)
    return problems


def _unpack_own(path: Path, limits: Limits) -> list[Problem]:
    """Put a folder in the place of an archive that a student handed in."""
    packed = path.with_name(path.name + ".packed")
    if packed.exists():
        return [Problem("refused-file", f"{printable(path.name)} was not unpacked: its place is taken.")]
    path.rename(packed)
    small = replace(limits, total_bytes=2 * limits.file_bytes, files=limits.folder_files)
    return unpack(packed, path, small).problems


def choose(
    extracted: Path, assignment: str, times: dict[str, datetime], platform: str = ""
) -> tuple[dict[Path, Arrival], list[Problem]]:
    """Each student's one notebook, with what the platform tells of it, and a problem for each file without an owner.

    Raises: ValueError where the files are named by no platform that is known.
    """
    paths = [path for path in sorted(extracted.rglob("*")) if path.is_file() and not path.is_symlink()]
    names = {path: _inside(path, extracted) for path in paths}
    if not names:
        return {}, [Problem("missing-notebook", f"There is nothing in {extracted}.")]
    platform = platform or guess_platform(list(names.values()))
    by_student: dict[str, list[tuple[Path, Arrival]]] = defaultdict(list)
    problems = []
    for path, name in names.items():
        arrival = read_name(name, platform)
        if arrival is not None:
            moment = times.get(arrival.student, arrival.moment)
            by_student[arrival.student].append((path, replace(arrival, moment=moment)))
        elif path.suffix == ".ipynb":
            problems.append(Problem("no-owner", f"{printable(name)} is not named as by {platform}, and was left out."))
    chosen = {}
    for student, files in sorted(by_student.items()):
        notebooks = [each for each in files if each[0].suffix == ".ipynb"]
        if not notebooks:
            what = ", ".join(printable(each[1].file, 40) for each in files[:5])
            problems.append(Problem("missing-notebook", f"{student} handed in no notebook, only {what}."))
            continue
        alike = [each for each in notebooks if same_work(each[1].file, assignment)] or notebooks
        path, arrival = max(alike, key=lambda each: each[1].order)
        chosen[path] = arrival
        if arrival.late and arrival.moment is None:
            text = f"{student}: the platform says late, not by how much; put a table `student,time` beside the archive."
            problems.append(Problem("late-unknown", text))
    return chosen, problems


def _inside(path: Path, extracted: Path) -> str:
    """The path inside its archive; for a loose file, its name."""
    parts = path.relative_to(extracted).parts
    return "/".join(parts[1:] if len(parts) > 1 else parts)
