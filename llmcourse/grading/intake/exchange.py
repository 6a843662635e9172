"""`nbgrader collect` from the exchange of a JupyterHub, where each student can write whatever they like.

Stock nbgrader follows links with the instructor's rights, believes the time in a folder's name, only warns where one
student hands in under another's name, and stops at a name that it cannot read. Here the operating system is asked: a
folder is its owner's, and was handed in when it last changed, which nobody can set back.
"""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from nbgrader.exchange.default.collect import ExchangeCollect

from llmcourse.grading.intake.folder import TIMESTAMP, read_plain, survey
from llmcourse.grading.intake.ledger import Entry, read_ledger, write_ledger
from llmcourse.grading.intake.limits import MIB, Limits
from llmcourse.grading.intake.notebooks import BrokenNotebook
from llmcourse.grading.intake.paths import printable


@dataclass(frozen=True)
class HandIn:
    """One folder in the exchange: whose it is, and when it last changed."""

    folder: Path
    student: str
    time: datetime


def owner_of(folder: Path) -> str | None:
    """The user whom a folder belongs to; None where the system does not know."""
    import pwd  # not on Windows, where there is no exchange

    try:
        return pwd.getpwuid(folder.lstat().st_uid).pw_name
    except KeyError:
        return None


def hand_ins(inbound: Path, assignment: str, refused: list[str]) -> Iterator[HandIn]:
    """The folders handed in for an assignment; `refused` gets a line for each one that is not what its name says."""
    for path in sorted(inbound.iterdir()):
        student, _, rest = path.name.partition(f"+{assignment}+")
        if not rest:
            continue
        name = printable(path.name, 80)
        if path.is_symlink() or not path.is_dir():
            refused.append(f"{name} is not a folder, and was not opened.")
        elif (owner := owner_of(path)) != student:
            refused.append(f"{name} belongs to {owner}, not to {student}, and was not collected.")
        else:
            # a change of the folder or of its rights moves this time, always to the moment of the change
            yield HandIn(path, student, datetime.fromtimestamp(int(path.lstat().st_ctime), UTC))


def copy_plain(source: Path, target: Path, limits: Limits) -> list[str]:
    """Put a folder's plain files into `target`, whole or not at all; gives a line for each thing left behind."""
    files, problems = survey(source, limits)
    left = [problem.text for problem in problems]
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".collecting-") as scratch:
        copy = Path(scratch, "copy")
        copy.mkdir()
        for path in files:
            place = copy / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                content = read_plain(path, limits)
                if len(content) > limits.file_bytes:
                    raise BrokenNotebook(f"it is larger than {limits.file_bytes // MIB} MiB")
                place.write_bytes(content)
            except BrokenNotebook as error:
                left.append(f"{printable(path.name)} was left out: {error}.")
        if target.exists():
            target.rename(Path(scratch, "before"))
        shutil.move(copy, target)
    return left


class Collect(ExchangeCollect):
    """The exchange's `collect`, with each hand-in's time and owner from the operating system."""

    def init_src(self) -> None:
        """Find the latest hand-in of each student."""
        if not self.coursedir.course_id:
            self.fail("No course id. Set CourseDirectory.course_id in nbgrader_config.py.")
        inbound = Path(self.root, self.coursedir.course_id, "inbound")
        if not inbound.is_dir():
            self.fail(f"There is no course in the exchange: {inbound}. Release an assignment first.")
        refused: list[str] = []
        latest: dict[str, HandIn] = {}
        for found in hand_ins(inbound, self.coursedir.assignment_id, refused):
            if self.coursedir.student_id in ("*", "", found.student):
                before = latest.get(found.student)
                latest[found.student] = found if before is None or found.time >= before.time else before
        for line in refused:
            self.log.warning(line)
        self.src_records = [latest[student] for student in sorted(latest)]

    def copy_files(self) -> None:
        """Take what is new, and note when each was handed in."""
        assignment, course = self.coursedir.assignment_id, Path(self.coursedir.root)
        known = read_ledger(course, assignment)
        self.log.info(f"{len(self.src_records)} students handed in {assignment}.")
        for found in self.src_records:
            form = self.coursedir.format_path(self.coursedir.submitted_directory, found.student, assignment)
            target, entry = Path(form), known.get(found.student)
            if target.exists() and not (self.update and (entry is None or entry.time != found.time)):
                self.log.info(f"{found.student}: collected already; --update takes a newer one.")
                continue
            for line in copy_plain(found.folder, target, Limits()):
                self.log.warning(f"{found.student}: {line}")
            (target / TIMESTAMP).write_text(f"{found.time:%Y-%m-%d %H:%M:%S} UTC\n", encoding="utf-8")
            write_ledger(course, assignment, {found.student: Entry(found.time.isoformat())})
            self.log.info(f"{found.student}: handed in at {found.time:%Y-%m-%d %H:%M:%S} UTC.")
