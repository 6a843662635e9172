"""Scratch folders after use: how much lies in them, and how they go, whatever a student's code left behind."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)


def clear(folder: Path) -> bool:
    """Remove the folder with all that is in it, and say whether it is gone; no link is followed and nothing raises.

    A tree may be deeper than any path or recursion reaches, so this walks down and up by handles.
    """
    if os.rmdir in os.supports_dir_fd and os.scandir in os.supports_fd:
        with suppress(OSError):
            folder.chmod(0o700)
            _empty(folder)
            folder.rmdir()
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return not os.path.lexists(folder)


def _empty(folder: Path) -> None:
    here, names = os.open(folder, FOLDER), list[str]()
    try:
        while True:
            name = _first_folder_after_files(here)
            if name is not None:
                os.chmod(name, 0o700, dir_fd=here)
                here = _move(here, name)
                names.append(name)
            elif names:
                here = _move(here, "..")
                os.rmdir(names.pop(), dir_fd=here)
            else:
                return
    finally:
        os.close(here)


def _move(here: int, name: str) -> int:
    there = os.open(name, FOLDER, dir_fd=here)
    os.close(here)
    return there


def _first_folder_after_files(here: int) -> str | None:
    """Remove files until a folder turns up."""
    with os.scandir(here) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                return entry.name
            os.unlink(entry.name, dir_fd=here)
    return None


def used_bytes(folder: Path, most: int) -> int:
    """How many bytes lie in the folder; the count stops where it is above `most`. Each file counts a block at least."""
    total, waiting = 0, [os.fspath(folder)]
    while waiting and total <= most:
        with suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                with suppress(OSError):
                    total += max(entry.stat(follow_symlinks=False).st_blocks * 512, 4096)
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                if total > most:
                    break
    return total
