"""The notebook that is graded: the instructor's cells in their order, with a student's text only where it belongs."""

import builtins
import re
import symtable
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

from llmcourse.grading.split.shell import PICTURES, is_base64

HIDDEN = re.compile(r"^[^\n]*### BEGIN HIDDEN TESTS.*?### END HIDDEN TESTS[^\n]*$", re.DOTALL | re.MULTILINE)
MISSING = "# This answer was missing from the notebook that was handed in."


@dataclass
class Cell:
    """One cell of the graded notebook, and where it runs: with the student, with the checker, with both or nowhere."""

    node: NotebookNode
    student: bool = False
    checker: bool = False
    binds: frozenset[str] = frozenset()  # names that the right answer defines
    wanted: list[str] = field(default_factory=list)  # names that its code may look up
    theirs: list[str] = field(default_factory=list)  # those of them that an answer defines
    payoff: bool = False  # one of the instructor's behind the last answer and test: no score hangs on it

    @property
    def for_student(self) -> str:
        """The cell's code without anything hidden."""
        return HIDDEN.sub("", self.node.source)


def info(cell: NotebookNode) -> dict[str, Any]:
    """What nbgrader knows of the cell."""
    found = cell.metadata.get("nbgrader")
    return dict(found) if isinstance(found, dict) else {}


def rebuild(source: NotebookNode, handed_in: NotebookNode) -> list[Cell]:
    """The cells of the graded notebook, each with its place of execution.

    Answers are taken by grade_id, the last of several. A student's other cells stay behind the cell that they follow.
    """
    known = [cell for cell in source.cells if info(cell).get("grade_id")]
    names = {info(cell)["grade_id"] for cell in known}
    given: dict[str, NotebookNode] = {}
    last_of = {str(info(cell).get("grade_id")): index for index, cell in enumerate(handed_in.cells)}
    own: dict[str, list[NotebookNode]] = {"": []}
    place = ""
    for index, cell in enumerate(handed_in.cells):
        name = str(info(cell).get("grade_id"))
        if name in names and last_of[name] == index:
            given[name], place = cell, name
        else:
            own.setdefault(place, []).append(cell)
    cells = [own_cell(cell) for cell in own[""]]
    for cell in known:
        name = info(cell)["grade_id"]
        cells.append(known_cell(cell, given.get(name)))
        cells += [own_cell(each) for each in own.get(name, [])]
    number(cells)
    place_names(cells)
    last = max((at for at, cell in enumerate(cells) if is_work(cell.node)), default=len(cells))
    for cell in cells[last + 1 :]:
        cell.payoff = cell.checker
    return cells


def is_work(node: NotebookNode) -> bool:
    """Whether the cell is an answer or a test."""
    return bool(info(node).get("solution") or info(node).get("grade")) and node.cell_type == "code"


def known_cell(source: NotebookNode, given: NotebookNode | None) -> Cell:
    """One of the instructor's cells, with the student's text where it is an answer."""
    about = info(source)
    text = source.source
    if about.get("solution"):
        text = MISSING if given is None else str(given.source)
    checksum = None if given is None else info(given).get("checksum")
    metadata = {**source.metadata, "nbgrader": {**about, **({"checksum": checksum} if checksum else {})}}
    node = fresh(source.cell_type, text, str(source.get("id", "")), metadata)
    if about.get("solution") and given is not None:
        node.update(pictures(given))
    runs, answer = node.cell_type == "code", bool(about.get("solution"))
    binds = names_in(source.source)[0] if runs and answer else frozenset[str]()
    return Cell(node, runs and answer, runs and not answer, binds)


def own_cell(given: NotebookNode) -> Cell:
    """A cell of the student's own, without its metadata."""
    kind = given.cell_type if given.cell_type in ("code", "markdown") else "raw"
    node = fresh(kind, str(given.source), str(given.get("id", "")), {})
    node.update(pictures(given))
    return Cell(node, student=kind == "code")


def fresh(kind: str, text: str, name: str, metadata: dict[str, Any]) -> NotebookNode:
    node = NotebookNode(cell_type=kind, id=name, metadata=NotebookNode(metadata), source=text)
    node.metadata = NotebookNode({key: NotebookNode(v) if isinstance(v, dict) else v for key, v in metadata.items()})
    if kind == "code":
        node.update(execution_count=None, outputs=[])
    return node


def pictures(given: NotebookNode) -> dict[str, Any]:
    """Pictures that are part of a Markdown cell."""
    found = given.get("attachments") if given.cell_type == "markdown" else None
    kept = {
        str(name): {mime: data for mime, data in parts.items() if mime in PICTURES and is_base64(data)}
        for name, parts in (found.items() if isinstance(found, dict) else ())
        if isinstance(parts, dict)
    }
    return {"attachments": kept} if kept else {}


def number(cells: Sequence[Cell]) -> None:
    """Give each cell a name of its own, as the notebook format wants it."""
    taken = {cell.node.id for cell in cells if info(cell.node)}
    for index, cell in enumerate(cells):
        if info(cell.node):
            cell.node.id = cell.node.id or f"cell-{index}"
        elif cell.node.id in taken or not re.fullmatch(r"[\w-]{1,64}", cell.node.id, re.ASCII):
            cell.node.id = f"own-{index}"
        taken.add(cell.node.id)


def place_names(cells: Sequence[Cell]) -> None:
    """Settle which names of the instructor's cells stand for the student's, and which cells can run on both sides.

    Only the instructor's notebook decides: a student's cell that defines a name of the tests' own changes nothing.
    """
    owner: dict[str, str] = {}  # name -> "student" or "checker"
    looked_up: set[str] = set()
    for cell in cells:
        owner.update(dict.fromkeys(cell.binds, "student"))
        if not cell.checker:
            continue
        bound, loaded = names_in(cell.node.source)
        looked_up |= loaded
        mine = {name for name in looked_up if owner.get(name) in ("checker", "both")}
        cell.theirs = sorted(name for name in looked_up if owner.get(name) == "student")
        foreign = {name for name in looked_up - mine if name not in bound and not hasattr(builtins, name)}
        cell.wanted = sorted(foreign | set(cell.theirs))
        alone = not info(cell.node).get("grade") and not loaded & {n for n, who in owner.items() if who != "both"}
        cell.student = alone and not foreign & loaded
        owner.update(dict.fromkeys(bound, "both" if cell.student else "checker"))


@lru_cache(maxsize=1024)
def names_in(source: str) -> tuple[frozenset[str], frozenset[str]]:
    """The names that a cell binds, and those that its code looks up outside of functions' own names."""
    try:
        table = symtable.symtable(TransformerManager().transform_cell(source), "<cell>", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset(), frozenset()
    symbols = table.get_symbols()
    bound = {s.get_name() for s in symbols if s.is_assigned() or s.is_imported() or s.is_namespace()}
    loaded = {s.get_name() for s in symbols if s.is_referenced()}
    waiting = list(table.get_children())
    while waiting:
        child = waiting.pop()
        loaded |= {s.get_name() for s in child.get_symbols() if s.is_global() and s.is_referenced()}
        bound |= {s.get_name() for s in child.get_symbols() if s.is_declared_global() and s.is_assigned()}
        waiting += child.get_children()
    return frozenset(bound), frozenset(loaded)
