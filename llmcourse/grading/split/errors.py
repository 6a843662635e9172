"""Errors that cross: a type by its name, a message as text, and the student's own line as a place to point at."""

import builtins
import linecache
import traceback
from typing import Any

from llmcourse.checks.core import CheckFailed
from llmcourse.grading.split.agreed import Malformed

TYPES = {
    name: kind
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and issubclass(kind, Exception) and not issubclass(kind, UnicodeError | StopIteration)
}
LONGEST = 4000
MOST_LINES = 10_000


def describe(error: BaseException) -> dict[str, Any]:
    """The error as plain data."""
    try:
        text = str(error)[:LONGEST]
    except Exception:
        text = "an error whose message cannot be shown"
    told: dict[str, Any] = {"type": type(error).__name__[:100], "text": text}
    if isinstance(error, CheckFailed):
        told |= {"code": str(error.code), "text": str(error.message)}
    for frame in traceback.extract_tb(error.__traceback__):
        if is_cell(frame.filename) and frame.lineno:
            told |= {"line": frame.lineno, "source": (frame.line or "")[:LONGEST]}
    return told


def is_cell(filename: str) -> bool:
    """Whether code of that file was typed into a notebook."""
    return filename.startswith("<ipython-input") or "ipykernel" in filename


def rebuilt_error(told: dict[str, Any], text: str) -> Exception:
    """The error that was described; a type that is not known to both sides shows in the message."""
    name = told["type"]
    if name == "CheckFailed" and type(told.get("code")) is str:
        return CheckFailed(told["code"], text)
    if type(name) is not str:
        raise Malformed("an error's type is a name")
    kind = TYPES.get(name)
    if kind is KeyError:  # which shows its key as Python would write it
        text = text.removeprefix("'").removesuffix("'")
    return RuntimeError(f"{name[:100]}: {text}") if kind is None else kind(text)


def raise_from_line(error: Exception, line: Any, source: str) -> None:
    """Raise the error as if from that line of a cell, so that tracebacks and checks can quote it."""
    if type(line) is not int or not 0 < line < MOST_LINES:
        raise error
    filename = f"<ipython-input of the submission, line {line}>"
    linecache.cache[filename] = (len(source), None, [*["\n"] * (line - 1), source + "\n"], filename)
    code = compile("\n" * (line - 1) + "raise error", filename, "exec")
    exec(code, {"error": error})
