"""What one worker does with one submission, wherever it runs: execute it, and keep the result at once."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from llmcourse.grading.cache import Cache, Result, fingerprint
from llmcourse.grading.sandbox import SandboxUnavailable

# from the instructor's notebook, which it leaves as it is, and the one that was handed in
Execute = Callable[[NotebookNode, NotebookNode, Mapping[str, Any]], NotebookNode]


def split_execute(source: NotebookNode, handed_in: NotebookNode, options: Mapping[str, Any]) -> NotebookNode:
    """The split checker, with its options as plain data."""
    from llmcourse.grading.split import Options, execute

    return execute(source, handed_in, Options.from_json(options))


@dataclass(frozen=True)
class Job:
    """One submission to execute. It travels to the worker, so it is text."""

    key: str
    student: str
    source: str
    handed_in: str
    options: Mapping[str, Any]
    execute: Execute = split_execute
    store: Path | None = None  # where the worker keeps the result; None where it shares no disc with the gradebook
    code: str | None = None  # the fingerprint that the worker's own must equal; None on the gradebook's machine


def work(job: Job) -> Result:
    """The result, with its own key in the notebook; an error in it for whatever goes wrong with this one submission.

    Raises: SandboxUnavailable, which is not the submission's fault.
    """
    start = time.perf_counter()
    if job.code is not None and job.code != fingerprint():
        return Result(None, 0.0, "The worker has another version of the course, of Python or of a library.")
    try:
        graded = job.execute(_read(job.source), nbformat.v4.reads(job.handed_in), job.options)
        graded.metadata["llmcourse"] = NotebookNode({**graded.metadata.get("llmcourse", {}), "result": job.key})
        text = nbformat.writes(graded)
        result = Result(text, time.perf_counter() - start)
    except SandboxUnavailable:
        raise
    except Exception as error:  # one submission never stops the others
        line = " ".join(f"{type(error).__name__}: {error}".split())[:500]
        return Result(None, time.perf_counter() - start, line)
    if job.store is not None:
        Cache(job.store).put(job.key, result)
    return result


@lru_cache(maxsize=2)
def _read(text: str) -> NotebookNode:
    return nbformat.reads(text, as_version=4)


def printed_notebook(notebook: NotebookNode) -> str:
    """A notebook as the text that names its result: the same answers give the same text, on whatever way they came.

    Of the instructor's cells only the place is kept, as the grader takes their text from the instructor.
    """
    cells = []
    for number, cell in enumerate(notebook.cells):
        info = cell.metadata.get("nbgrader") or {}
        kept = {key: info[key] for key in ("grade_id", "checksum") if info.get(key)}
        source = cell.source if info.get("solution") or not info else ""
        plain: dict[str, Any] = {"id": f"cell-{number}", "cell_type": cell.cell_type, "source": source}
        plain["metadata"] = {"nbgrader": kept} if kept else {}
        if cell.cell_type == "code":
            plain.update(outputs=[], execution_count=None)
        cells.append(plain)
    content = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(content, sort_keys=True, ensure_ascii=False)
