"""The names that learning platforms give to files: who handed in what, and when.

Canvas writes `<name>_[LATE_]<user>_<file>_<as handed in>` into one flat zip file, without a time; Moodle a folder
`<Full Name>_<participant>_assignsubmission_file` for each student, or a flat name that begins so, without a time.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from llmcourse.grading.intake.paths import is_student_id, printable

# the course's own: ada_20261001T113005Z_06-attention.ipynb
TIMED = re.compile(r"(?P<student>[\w.@+-]+?)_(?P<time>\d{8}T\d{6}Z)_(?P<file>.+)", re.ASCII)
# Canvas lowers the name's letters and drops all but letters, digits and underscores
CANVAS = re.compile(
    r"(?:(?!LATE_|anon_)(?P<name>\w+?)_)?(?P<late>LATE_)?(?P<student>\d+|anon_[A-Za-z0-9]+)_(?P<number>\d+)_(?P<file>.+)"
)
MOODLE = r"(?P<name>[^/]+?)_(?P<student>\d+)_assignsubmission_(?P<kind>[a-z]+)"
MOODLE_FOLDER = re.compile(MOODLE + r"_?/(?P<file>.+)")
MOODLE_FLAT = re.compile(MOODLE + r"_(?P<file>[^/].*)")
# what a browser or a platform adds to a name that is taken already
COPY = re.compile(r"(?:[ _-]?\(\d{1,3}\)|[ _-]copy\d{0,3}|[ _-]\d{1,2})+", re.IGNORECASE)


@dataclass(frozen=True)
class Arrival:
    """One file as its platform names it."""

    student: str  # the id that the platform writes into the name
    file: str  # the name under which it was handed in
    name: str = ""  # of the student, as far as the platform tells
    moment: datetime | None = None  # of the hand-in, UTC; None where the platform does not tell
    late: bool = False  # the platform says so
    number: int = 0  # grows with each upload

    @property
    def order(self) -> tuple[datetime, int, str]:
        """What sorts one student's files by age."""
        return (self.moment or datetime.min.replace(tzinfo=UTC), self.number, self.file)


def read_name(path: str, platform: str) -> Arrival | None:
    """What a file's path inside the archive tells, in the way of one platform; None where it does not fit.

    A folder that wraps the whole archive is passed over.
    """
    for start in (path, path.partition("/")[2]):
        found = PLATFORMS[platform](start) if start else None
        if found is not None and is_student_id(found.student):
            return found
    return None


def guess_platform(paths: Sequence[str]) -> str:
    """The platform that names most of these files.

    The last part of a name is the student's own and may look like another platform's, or another student's: so it is
    all files together that decide, never one by itself.

    Raises: ValueError where two fit equally well, or none fits at all.
    """
    fits = {platform: sum(read_name(path, platform) is not None for path in paths) for platform in PLATFORMS}
    best = max(fits.values())
    names = [platform for platform, count in fits.items() if count == best]
    if best == 0:
        raise ValueError(f"No platform names files like {printable(paths[0])!r}." if paths else "There are no files.")
    if len(names) > 1:
        raise ValueError(f"{' and '.join(names)} could both name the files so: say --Collector.platform={names[0]}.")
    return names[0]


def same_work(file: str, assignment: str) -> bool:
    """Whether a file is named like the assignment's notebook, but for `(1)`, `-1` and the like at the end."""
    stem = file.rpartition("/")[2].removesuffix(".ipynb")
    return stem == assignment or (stem.startswith(assignment) and COPY.fullmatch(stem[len(assignment) :]) is not None)


def _timed(path: str) -> Arrival | None:
    match = TIMED.fullmatch(path)
    if not match:
        return None
    try:
        moment = datetime.strptime(match["time"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
    return Arrival(match["student"], match["file"], moment=moment)


def _moodle(path: str) -> Arrival | None:
    match = MOODLE_FOLDER.fullmatch(path) or MOODLE_FLAT.fullmatch(path)
    if not match or match["kind"] != "file":
        return None
    return Arrival(match["student"], match["file"], name=match["name"])


def _canvas(path: str) -> Arrival | None:
    match = CANVAS.fullmatch(path)
    if not match:
        return None
    number = int(match["number"]) if len(match["number"]) < 20 else 0
    return Arrival(match["student"], match["file"], match["name"] or "", late=bool(match["late"]), number=number)


PLATFORMS: dict[str, Callable[[str], Arrival | None]] = {"canvas": _canvas, "moodle": _moodle, "timed": _timed}
