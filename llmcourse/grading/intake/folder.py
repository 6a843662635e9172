"""One student's folder under `submitted/`: which file in it is the work, and what else lies there."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from llmcourse.grading.intake.limits import Limits, Problem
from llmcourse.grading.intake.notebooks import BrokenNotebook, parse, placeholder, repair
from llmcourse.grading.intake.paths import printable, why_unsafe
from llmcourse.grading.intake.platforms import same_work

TIMESTAMP = "timestamp.txt"


@dataclass(frozen=True)
class Received:
    """One submission, ready for the grader: always a notebook, if need be one without answers."""

    notebook: NotebookNode
    problems: tuple[Problem, ...] = ()
    others: tuple[Path, ...] = ()  # plain files beside the notebook, for whoever looks at the work

    @property
    def readable(self) -> bool:
        """Whether the student's own work is in the notebook."""
        return not any(problem.fatal for problem in self.problems)


def receive(folder: Path, assignment: str, source: NotebookNode, limits: Limits | None = None) -> Received:
    """What a student's folder holds for the assignment; `source` is the instructor's notebook.

    Whatever the folder holds, this returns: no link is followed, no special file opened, nothing written.
    """
    limits = limits or Limits()
    files, problems = survey(folder, limits)
    others, left = others_of(folder, files, limits)
    problems += left
    try:
        path, named = choose(files, assignment)
        problems += named
        notebook, repaired = repair(parse(read_plain(path, limits), limits), source)
    except BrokenNotebook as error:
        reason = printable(str(error), 300)
        problems.append(Problem(kind_of(error), f"Nothing could be graded: {reason}."))
        return Received(placeholder(source, reason), tuple(problems), others)
    return Received(notebook, (*problems, *repaired), others)


class MissingNotebook(BrokenNotebook):
    """There is no file that could be the work."""


def kind_of(error: BrokenNotebook) -> str:
    """The code of the problem that such an error is."""
    return "missing-notebook" if isinstance(error, MissingNotebook) else "broken-notebook"


def survey(folder: Path, limits: Limits) -> tuple[list[Path], list[Problem]]:
    """The plain files of a folder, and a problem for whatever else is in it. Links are neither followed nor listed."""
    files: list[Path] = []
    problems: list[Problem] = []
    if folder.is_symlink() or not folder.is_dir():
        return [], [Problem("refused-file", f"{printable(folder.name)} is not a folder.")]
    for entry in _walk(folder):
        name = printable(os.path.relpath(entry.path, folder))
        if len(files) >= limits.folder_files:
            problems.append(Problem("too-many-files", f"Only {limits.folder_files} files were looked at."))
            break
        mode = entry.stat(follow_symlinks=False).st_mode
        if stat.S_ISLNK(mode):
            problems.append(Problem("refused-file", f"{name} is a link, and was not followed."))
        elif not stat.S_ISREG(mode):
            problems.append(Problem("refused-file", f"{name} is not a file, and was not opened."))
        elif why_unsafe(entry.name):
            problems.append(Problem("refused-file", f"{name} was not opened: {why_unsafe(entry.name)}."))
        else:
            files.append(Path(entry.path))
    return files, problems


def others_of(folder: Path, files: list[Path], limits: Limits) -> tuple[tuple[Path, ...], list[Problem]]:
    """The files that are neither notebooks nor the time, and a problem for each that is too large to go on."""
    kept: list[Path] = []
    problems: list[Problem] = []
    room = limits.folder_bytes
    for path in files:
        inside = path.relative_to(folder)
        if any(part.endswith(".ipynb") for part in inside.parts) or inside.parts[0] == TIMESTAMP:
            continue
        size = path.lstat().st_size
        if size > min(room, limits.file_bytes):
            problems.append(Problem("refused-file", f"{printable(str(inside))} was left out: it is too large."))
        else:
            room -= size
            kept.append(path)
    return tuple(kept), problems


def _walk(folder: Path, depth: int = 0) -> Iterator[os.DirEntry[str]]:
    """All entries that are no folders, in the order of their names; a link to a folder counts as an entry."""
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        if not entry.is_dir(follow_symlinks=False):
            yield entry
        elif depth < 8 and entry.name != ".ipynb_checkpoints":
            yield from _walk(Path(entry.path), depth + 1)


def read_plain(path: Path, limits: Limits) -> bytes:
    """The bytes of a plain file.

    Raises: BrokenNotebook for one that is too big, cannot be read, or has become something else.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(path, flags)
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise BrokenNotebook("it is not a plain file")
            data = file.read(limits.file_bytes + 1)
    except OSError as error:
        raise BrokenNotebook(f"the file cannot be read: {error.strerror}") from None
    return data


def choose(files: list[Path], assignment: str) -> tuple[Path, list[Problem]]:
    """The file that is the work, and a problem where that was a guess.

    Raises: MissingNotebook.
    """
    notebooks = [path for path in files if path.suffix == ".ipynb"]
    exact = [path for path in notebooks if path.stem == assignment]
    if exact:
        return min(exact, key=lambda path: len(path.parts)), []
    alike = [path for path in notebooks if same_work(path.name, assignment)]
    chosen = alike or notebooks
    if not chosen:
        there = ", ".join(printable(path.name, 40) for path in files[:5] if path.name != TIMESTAMP)
        raise MissingNotebook(f"there is no notebook {assignment}.ipynb" + (f", only {there}" if there else ""))
    if len(chosen) > 1:
        names = ", ".join(printable(path.name, 40) for path in chosen[:5])
        raise MissingNotebook(f"no notebook is named {assignment}.ipynb, and there are several others: {names}")
    text = f"{printable(chosen[0].name, 60)} was read as {assignment}.ipynb."
    return chosen[0], [Problem("renamed", text)]
