"""Unpacking an archive that somebody else made: plain files below one folder, and nothing else."""

import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from llmcourse.grading.intake.limits import Limits, Problem
from llmcourse.grading.intake.paths import printable, safe_parts

CHUNK = 2**20
# what operating systems and Jupyter add by themselves
LITTER = ("__MACOSX", ".DS_Store", ".ipynb_checkpoints", "Thumbs.db", "desktop.ini")


class Refused(ValueError):
    """One entry that is not unpacked; the message says why."""


@dataclass
class Unpacked:
    """What came of an archive: the files by their path in it, and a problem for each entry that was refused."""

    files: dict[str, Path] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def unpack(archive: Path, destination: Path, limits: Limits | None = None) -> Unpacked:
    """Unpack a zip file into a new folder; a refused entry costs nobody but itself.

    Links, devices, absolute paths, paths with `..`, names that some platform cannot hold, encrypted entries, a second
    entry of the same name (whatever its case) and everything above the limits stay out. Sizes are counted while
    reading, as an archive may lie about them.

    Raises: FileExistsError where the folder exists already: only a new one is sure to hold no link.
    """
    limits = limits or Limits()
    result = Unpacked()
    destination.mkdir(parents=True)
    try:
        with zipfile.ZipFile(archive) as file:
            _unpack_all(file, destination, limits, result)
    except Exception as error:  # zipfile raises a dozen kinds on bytes that were made to hurt
        result.problems.append(Problem("broken-archive", f"{archive.name} is not a zip file that can be read: {error}"))
    return result


def _unpack_all(file: zipfile.ZipFile, destination: Path, limits: Limits, result: Unpacked) -> None:
    seen: set[str] = set()
    left = limits.total_bytes
    for count, entry in enumerate(file.infolist()):
        if count >= limits.files or left <= 0:
            result.problems.append(Problem("too-big", f"Only {count} entries were read: the archive holds too much."))
            return
        try:
            parts = _parts(entry)
            if parts is None:
                continue
            if (key := "/".join(parts).casefold()) in seen:
                raise Refused("an entry before it has the same name")
            path = destination.joinpath(*parts)
            path.parent.mkdir(parents=True, exist_ok=True)
            left -= _write(file, entry, path, min(limits.file_bytes, left))
        except Exception as error:  # likewise
            reason = str(error) or type(error).__name__
            text = f"{printable(entry.filename)} was refused: {printable(reason)}."
            result.problems.append(Problem("refused-file", text))
        else:
            seen.add(key)
            result.files["/".join(parts)] = path


def _parts(entry: zipfile.ZipInfo) -> tuple[str, ...] | None:
    """Where the entry goes; None for folders and litter.

    Raises: ValueError where it must not go anywhere.
    """
    # a zip's name ends at a NUL byte for some readers and not for others
    if "\0" in entry.orig_filename:
        raise Refused("its name holds a NUL byte")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise Refused("it is a link or a device, not a file")
    parts = safe_parts(entry.filename)
    if entry.is_dir() or kind == stat.S_IFDIR or any(part in LITTER for part in parts):
        return None
    if entry.flag_bits & 0x1:
        raise Refused("it is encrypted")
    return parts


def _write(file: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path, most: int) -> int:
    """Write the entry's bytes to a file that does not exist yet, and return how many there were."""
    written = 0
    try:
        with file.open(entry) as source, path.open("xb") as target:
            for chunk in _chunks(source):
                written += len(chunk)
                if written > most:
                    raise Refused(f"it holds more than {most} bytes")
                target.write(chunk)
    except FileExistsError:
        raise Refused("an entry before it has the same name") from None
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return written


def _chunks(source: IO[bytes]) -> Iterator[bytes]:
    while chunk := source.read(CHUNK):
        yield chunk
