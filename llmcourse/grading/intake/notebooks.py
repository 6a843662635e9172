"""A student's notebook, read with suspicion: cells of text come out, and what nbgrader must know of each."""

import copy
import json
from collections.abc import Mapping
from typing import Any

import nbformat
from nbformat import NotebookNode

from llmcourse.grading.intake.limits import Limits, Problem
from llmcourse.grading.intake.paths import printable

KINDS = ("code", "markdown", "raw")
DEEPEST = 200  # brackets within brackets, far below what Python's own stack allows


class BrokenNotebook(ValueError):
    """A file that is no notebook; the message says why, for the student too."""


def parse(data: bytes, limits: Limits | None = None) -> NotebookNode:
    """The cells of a notebook file, made anew: type, source and nbgrader's metadata; outputs and the rest stay behind.

    Raises: BrokenNotebook.
    """
    limits = limits or Limits()
    if len(data) > limits.file_bytes:
        raise BrokenNotebook(f"the file holds {len(data)} bytes, and {limits.file_bytes} are allowed")
    document = _json(data)
    cells = _cells(document)
    if len(cells) > limits.cells:
        raise BrokenNotebook(f"it has {len(cells)} cells, and {limits.cells} are allowed")
    notebook = _notebook([_cell(raw, number) for number, raw in enumerate(cells)])
    if sum(len(cell.source) for cell in notebook.cells) > limits.source_chars:
        raise BrokenNotebook(f"its cells hold more than {limits.source_chars} characters")
    return notebook


def _json(data: bytes) -> dict[str, Any]:
    if not data.strip():
        raise BrokenNotebook("the file is empty")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BrokenNotebook(f"the file is not UTF-8 text: byte {error.start} is {data[error.start]:#04x}") from None
    try:
        # a number is never needed as one, and a long one takes minutes to read
        document = json.loads(text, parse_int=_number, parse_float=str, parse_constant=str)
    except RecursionError:
        raise BrokenNotebook("the file nests too deeply") from None
    except ValueError as error:
        raise BrokenNotebook(f"the file is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise BrokenNotebook("the file is JSON, but no notebook")
    return document


def _number(digits: str) -> int | str:
    return int(digits) if len(digits) < 10 else digits


def _cells(document: Mapping[str, Any]) -> list[Any]:
    version = document.get("nbformat")
    if version == 4:
        cells = document.get("cells")
    elif version == 3:
        sheets = document.get("worksheets")
        sheets = sheets if isinstance(sheets, list) else []
        cells = [cell for sheet in sheets if isinstance(sheet, dict) for cell in _list(sheet.get("cells"))]
    else:
        raise BrokenNotebook(f"its nbformat is {printable(repr(version), 30)}, and 3 and 4 can be read")
    if not isinstance(cells, list):
        raise BrokenNotebook("it has no list of cells")
    return cells


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _cell(raw: object, number: int) -> NotebookNode:
    if not isinstance(raw, dict):
        raise BrokenNotebook(f"cell {number} is not a cell")
    kind = raw.get("cell_type")
    source = raw.get("source", raw.get("input", ""))  # `input` in format 3
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        raise BrokenNotebook(f"cell {number} has no text")
    # half a surrogate pair is legal in JSON, and no file can hold it
    source = source.encode("utf-8", "replace").decode("utf-8")
    if kind in ("heading", "html"):  # of format 3
        kind = "markdown"
    if kind not in KINDS:
        raise BrokenNotebook(f"cell {number} is of the unknown type {printable(repr(kind), 30)}")
    # nbformat's own functions hold each new cell against a schema, which is most of the time that intake would take
    cell = NotebookNode(cell_type=kind, id=f"cell-{number}", metadata=NotebookNode(), source=source)
    if kind == "code":
        cell.update(outputs=[], execution_count=None)
    metadata = raw.get("metadata")
    info = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    grade_id = info.get("grade_id") if isinstance(info, dict) else None
    if isinstance(grade_id, str) and grade_id:
        cell.metadata["nbgrader"] = NotebookNode(grade_id=grade_id)
    return cell


def _notebook(cells: list[NotebookNode], metadata: NotebookNode | None = None) -> NotebookNode:
    return NotebookNode(nbformat=4, nbformat_minor=5, metadata=metadata or NotebookNode(), cells=cells)


def repair(notebook: NotebookNode, source: NotebookNode) -> tuple[NotebookNode, list[Problem]]:
    """The notebook with nbgrader's metadata as the instructor's notebook has it, and what was amiss.

    A grade_id counts once, at its last cell, as in nbgrader: a copy keeps its text and loses the id.
    """
    known = {
        info.grade_id: cell for cell in source.cells if (info := cell.metadata.get("nbgrader")) and "grade_id" in info
    }
    problems: list[Problem] = []
    cells: list[NotebookNode] = []
    seen: set[str] = set()
    for cell in reversed(notebook.cells):
        grade_id = cell.metadata.pop("nbgrader", {}).get("grade_id")
        if grade_id is None:
            cells.append(cell)
        elif grade_id not in known:
            problems.append(
                Problem("unknown-cell", f"The cell {printable(grade_id, 40)} is not one of the assignment's.")
            )
            cells.append(cell)
        elif grade_id in seen:
            problems.append(
                Problem("copied-cell", f"The cell {grade_id} is there more than once; its last copy counts.")
            )
            cells.append(cell)
        else:
            seen.add(grade_id)
            if cell.cell_type != known[grade_id].cell_type:
                text = f"The cell {grade_id} was turned into a {cell.cell_type} cell, and is read as what it was."
                problems.append(Problem("changed-type", text))
            cells.append(_as_given(cell, known[grade_id]))
    for grade_id, given in known.items():
        if grade_id not in seen:
            what = "answer" if given.metadata.nbgrader.get("solution") else "cell"
            problems.append(Problem("missing-cell", f"The {what} {grade_id} is missing."))
    metadata = NotebookNode({key: copy.deepcopy(source.metadata[key]) for key in METADATA if key in source.metadata})
    return _notebook(cells[::-1], metadata), sorted(set(problems))


METADATA = ("kernelspec", "language_info")


def _as_given(cell: NotebookNode, given: NotebookNode) -> NotebookNode:
    """The cell's text in a cell of the type and with the metadata that the instructor gave it."""
    fresh = copy.deepcopy(given)
    fresh.source, fresh.id = cell.source, cell.id
    if fresh.cell_type == "code":
        fresh.outputs, fresh.execution_count = [], None
    return fresh


def placeholder(source: NotebookNode, reason: str) -> NotebookNode:
    """A notebook without answers that stands in for one that cannot be read, and says so."""
    metadata = NotebookNode({key: copy.deepcopy(source.metadata[key]) for key in METADATA if key in source.metadata})
    note = nbformat.v4.new_markdown_cell(f"This submission could not be read: {reason}.", id="intake")
    return nbformat.v4.new_notebook(cells=[note], metadata=metadata)
