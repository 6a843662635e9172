"""What lies beside a graded notebook: the instructor's files and the student's, as `nbgrader autograde` leaves them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from llmcourse.grading.intake.folder import read_plain
from llmcourse.grading.intake.limits import Limits
from llmcourse.grading.intake.notebooks import BrokenNotebook
from llmcourse.grading.intake.paths import printable
from llmcourse.grading.schedule.settings import Settings

Files = Mapping[PurePosixPath, Path]


def instructors_files(settings: Settings, assignment: str) -> Files:
    """The files that every graded submission gets, whatever it brought in their places."""
    folder, own = settings.source(assignment).parent, settings.students_own.get(assignment, ())
    found = _unignored(settings, folder, (path for path in folder.rglob("*") if path.is_file()))
    return {name: path for name, path in found.items() if str(name) not in own}


def students_files(settings: Settings, assignment: str, student: str, others: Sequence[Path]) -> Files:
    """Those of a student's files that go on."""
    return _unignored(settings, settings.folder("submitted", student, assignment), others)


def _unignored(settings: Settings, folder: Path, paths: Iterable[Path]) -> Files:
    """The files by their names in the folder, where no part of a name is one that nbgrader passes over."""
    patterns = [*settings.coursedir.ignore, "*.ipynb"]
    names = {PurePosixPath(path.relative_to(folder).as_posix()): path for path in paths}
    return {name: path for name, path in names.items() if not any(_is_ignored(part, patterns) for part in name.parts)}


def _is_ignored(part: str, patterns: Iterable[str]) -> bool:
    # nbgrader asks `glob`, for which a star stands for no name with a dot in front
    return any(fnmatch(part, each) and (part[0] != "." or each[0] == ".") for each in patterns)


def put_beside(
    target: Path, given: Files, own: Files, *, kept: Collection[str] = (), limits: Limits | None = None
) -> list[str]:
    """Leave these files in a folder of graded work, and none of an earlier run; a line for each that was left out.

    What is `kept` stays as it is. Where a file of the student's own has the name of a given one, in whatever case, the
    given one counts.
    """
    limits = limits or Limits()
    taken = {str(name).casefold() for name in [*given, *kept]}
    wanted = {**given, **{name: path for name, path in own.items() if str(name).casefold() not in taken}}
    _remove_others(target, {*map(PurePosixPath, kept), *wanted})
    left_out = []
    for name, path in wanted.items():
        try:
            _put(target / name, path.read_bytes() if name in given else _read(path, limits))
        except (OSError, BrokenNotebook) as error:
            left_out.append(f"{printable(str(name))} was left out: {error}.")
    return left_out


def _read(path: Path, limits: Limits) -> bytes:
    content = read_plain(path, limits)
    if len(content) > limits.file_bytes:  # it has grown since it was taken in
        raise BrokenNotebook("it is too large")
    return content


def _put(place: Path, content: bytes) -> None:
    """Write a file, unless it is there with just this content."""
    if place.is_file() and not place.is_symlink() and place.read_bytes() == content:
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)  # nbgrader leaves files that cannot be written to
    place.write_bytes(content)


def _remove_others(target: Path, kept: set[PurePosixPath]) -> None:
    """Remove all files but these, and folders that are empty then."""
    for path in sorted(target.rglob("*"), reverse=True):  # what is in a folder comes before the folder
        if path.is_dir() and not path.is_symlink():
            with suppress(OSError):
                path.rmdir()
        elif PurePosixPath(path.relative_to(target).as_posix()) not in kept:
            path.unlink()
