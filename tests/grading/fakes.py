"""A stand-in for the split checker that is quick and leaves a trace: tests of the schedule run it in real workers."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode


def execute(source: NotebookNode, handed_in: NotebookNode, options: Mapping[str, Any]) -> NotebookNode:
    """The source with the student's answers; a test passes where the word `right` is in the answer before it.

    An answer may also ask for trouble: to `raise`, to `die` with its process, or to `wait`.
    """
    given = {cell.metadata.nbgrader.grade_id: cell for cell in handed_in.cells if "nbgrader" in cell.metadata}
    text = "\n".join(cell.source for cell in handed_in.cells)
    if "raise" in text:
        raise RuntimeError("this submission\nraises")
    if "die" in text:
        os._exit(1)
    time.sleep(float(options.get("wait", 0)))
    graded = nbformat.from_dict(source)
    answer = ""
    for cell in graded.cells:
        info = cell.metadata.get("nbgrader", {})
        own = given.get(info.get("grade_id"))
        if info.get("solution") and own is not None:
            cell.source, cell.metadata.nbgrader.checksum = own.source, own.metadata.nbgrader.get("checksum")
            answer = cell.source if cell.cell_type == "code" else answer
        elif info.get("grade") and "right" not in answer:
            cell.outputs = [nbformat.v4.new_output("error", ename="AssertionError", evalue="wrong [area.wrong]")]
    if trace := options.get("trace"):
        with Path(str(trace)).open("a", encoding="utf-8") as file:
            file.write(f"{answer}\n")
    return graded
