"""Files that are either whole or not there: text that reads with one clear complaint, and writes that never tear."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def read_text(path: str | Path) -> str:
    """The text of a UTF-8 file, with every line ending as `\\n`.

    Raises: ValueError with one line that says what to do, for a file that is missing, empty or not UTF-8.
    """
    path = Path(path)
    if path.is_dir():
        raise ValueError(f"{path} is a folder; name a text file in it.")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise ValueError(f"There is no file {path}; check its name and folder.") from None
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}.") from None
    try:
        text = content.decode("utf-8-sig")  # some editors put a mark in front, which is no text
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is not UTF-8 text: byte {error.start} is 0x{content[error.start]:02x}. "
            "Save it as UTF-8, for example with: iconv -f latin1 -t utf-8."
        ) from None
    if not text.strip():
        raise ValueError(f"{path} is empty; training needs text.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """A scratch path beside `path`, which takes its place when the block ends well and vanishes when it does not.

    A reader, or a run that starts after a crash, sees the old file or the new one, never half of either.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield scratch
        with scratch.open("rb+") as file:
            os.fsync(file.fileno())  # the bytes first: a rename that outruns them leaves an empty file after a crash
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    if not hasattr(os, "O_DIRECTORY"):
        return  # Windows keeps no handle on folders
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
