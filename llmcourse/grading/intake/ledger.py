"""When each student handed in, from whoever can be trusted with it: the platform, never a file of the student's."""

import csv
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path

import dateutil.parser

from llmcourse.data.files import atomic_path

FOLDER = ".grading"
# Moodle's grading worksheet, and a table that anybody can write
WHO = ("student", "student_id", "id", "identifier")
WHEN = ("time", "timestamp", "last modified (submission)")


@dataclass(frozen=True)
class Entry:
    """What is known of one hand-in: its moment, UTC in ISO form, or only that the platform calls it late."""

    moment: str | None = None
    late: bool = False
    handed_in_as: str = ""

    @property
    def time(self) -> datetime | None:
        """The moment, in UTC."""
        return None if self.moment is None else datetime.fromisoformat(self.moment).astimezone(UTC)


def ledger_path(course: Path, assignment: str) -> Path:
    """Where the hand-ins of an assignment are noted: out of reach of what students send."""
    return course / FOLDER / assignment / "arrivals.json"


def read_ledger(course: Path, assignment: str) -> dict[str, Entry]:
    """The hand-ins by student; empty where nothing was collected yet.

    Raises: ValueError for a file that this module did not write.
    """
    path = ledger_path(course, assignment)
    if not path.is_file():
        return {}
    try:
        return {student: Entry(**entry) for student, entry in json.loads(path.read_text(encoding="utf-8")).items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is damaged: {error}. Delete it and collect again.") from None


def write_ledger(course: Path, assignment: str, entries: Mapping[str, Entry]) -> None:
    """Note these hand-ins beside those of other students that are noted already."""
    path = ledger_path(course, assignment)
    table = {
        student: asdict(entry) for student, entry in sorted({**read_ledger(course, assignment), **entries}.items())
    }
    with atomic_path(path) as scratch:
        scratch.write_text(json.dumps(table, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_times(folder: Path, zone: tzinfo = UTC) -> dict[str, datetime]:
    """Times by student from the tables in a folder: Moodle's grading worksheet, or `student,time` in ISO form.

    A time without a zone is one of `zone`. Rows without a time are left out.

    Raises: ValueError naming the file and the row whose time cannot be read.
    """
    times: dict[str, datetime] = {}
    for path in sorted(folder.glob("*.csv")):
        for number, student, text in _rows(path):
            try:
                moment = dateutil.parser.parse(text)
            except (ValueError, OverflowError):
                raise ValueError(
                    f"{path.name}, row {number}: {text!r} is no time. Write 2026-10-01T12:30:05+02:00."
                ) from None
            moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
            times[student] = moment.astimezone(UTC)
    return times


def _rows(path: Path) -> Iterator[tuple[int, str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.DictReader(file)
        names = {name.strip().lower(): name for name in rows.fieldnames or ()}
        who = next((names[name] for name in WHO if name in names), None)
        when = next((names[name] for name in WHEN if name in names), None)
        if who is None or when is None:
            return
        for number, row in enumerate(rows, 2):
            text = (row[when] or "").strip()
            if text not in ("", "-"):
                # Moodle writes "Participant 12345"
                yield number, re.sub(r"^\D+ (?=\d+$)", "", (row[who] or "").strip()), text
