"""Errors that cross: a type by its name, a message as text, and the student's own line as a place to point at."""

import builtins
import linecache
import traceback
from contextlib import suppress
from typing import Any

from llmcourse.checks.core import CheckFailed
from llmcourse.grading.split.agreed import clean, of_kind

UNLIKE = (UnicodeError, StopIteration, BaseExceptionGroup)  # not made of a message alone, or taken for something else
TYPES = {
    name: kind
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and issubclass(kind, Exception) and not issubclass(kind, UNLIKE)
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


def rebuilt_error(told: dict[str, Any]) -> Exception:
    """The error that was described; a type that is not known to both sides shows in the message."""
    name, text = of_kind(str, told["type"]), clean(of_kind(str, told["text"]))
    kind = TYPES.get(name)
    if kind is KeyError:  # which shows its key as Python would write it
        text = text.removeprefix("'").removesuffix("'")
    if name == "CheckFailed" and "code" in told:
        error: Exception = CheckFailed(clean(of_kind(str, told["code"])), text)
    else:
        error = RuntimeError(f"{clean(name[:100])}: {text}") if kind is None else kind(text)
    if "line" in told:
        raise_and_catch(error, told["line"], clean(of_kind(str, told["source"])))
    return error


def raise_and_catch(error: Exception, line: Any, source: str) -> None:
    """Give the error a traceback that ends in that line of a cell, so that whoever shows it can quote the line."""
    if type(line) is not int or not 0 < line < MOST_LINES:
        return
    filename = f"<ipython-input of the submission, line {line}>"
    linecache.cache[filename] = (len(source), None, [*["\n"] * (line - 1), source + "\n"], filename)
    code = compile("\n" * (line - 1) + "raise error", filename, "exec")
    with suppress(Exception):
        exec(code, {"error": error})
