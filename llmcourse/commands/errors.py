"""Tell a user's mistake, which deserves one line, from ours, which deserves a traceback."""

import errno
import traceback
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent


class CommandError(Exception):
    """A command cannot begin; the message says why and what to do."""


class RunFailed(CommandError):
    """What the command ran has failed: a test, a check, a chapter, a mark."""


def one_line(error: BaseException) -> str | None:
    """The line to show for an error that the user can mend; None for a mistake in the code.

    A file that is missing or unreadable is the user's. So is a ValueError that this package raises itself: it names
    a rule and the value that breaks it. A ValueError from deep inside a library is ours.
    """
    if isinstance(error, CommandError):
        return str(error)
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.strerror}: {error.filename}"
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:  # a write, unlike an open, knows no name
        return "The disk is full. Free some space and give the same command again."
    if isinstance(error, UnicodeDecodeError):
        return f"The text is not UTF-8: byte {error.start} is {error.object[error.start]:#04x}. Save it as UTF-8."
    if isinstance(error, ValueError | ConnectionError) and _raised_by_us(error):
        return " ".join(str(error).split())
    return None


def _raised_by_us(error: BaseException) -> bool:
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and PACKAGE in Path(frames[-1].filename).resolve().parents


def exit_code(error: BaseException) -> int:
    """1 where something that was run has failed, 2 where the user's input is at fault."""
    return 1 if isinstance(error, RunFailed) else 2
