"""Known answers, right and wrong, one small file each: what they replace, and what the grader must say of them.

A file is Python. Its docstring tells what it is and what to expect; below, each `# cell: <grade_id>` starts the text
that takes the place of that answer. What stands above the first such line is for editors and linters only.
"""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

CELL = re.compile(r"^# cell: (?P<grade_id>[\w-]+)\s*$", re.MULTILINE)
FIELDS = ("loses", "code", "says")


@dataclass(frozen=True)
class Fixture:
    """One made-up submission: the perfect notebook with some answers replaced."""

    path: Path
    summary: str
    replaces: Mapping[str, str]
    loses: frozenset[str] = frozenset()  # grade_ids of test cells that must fail; all others must pass
    codes: tuple[str, ...] = ()  # each failing test shows one of these, and each is shown
    says: tuple[str, ...] = ()  # words of the messages, likewise

    @property
    def name(self) -> str:
        """The file's name without its ending, for test ids and students."""
        return self.path.stem


def read_fixture(path: Path) -> Fixture:
    """The fixture that a file describes.

    Raises: ValueError naming the file and what is missing in it.
    """
    text = path.read_text(encoding="utf-8")
    header = ast.get_docstring(ast.parse(text))
    if not header:
        raise ValueError(f"{path.name} needs a docstring that says what it is.")
    fields = dict(re.findall(rf"^({'|'.join(FIELDS)}): *(.+)$", header, re.MULTILINE))
    parts = CELL.split(text)
    replaces = {grade_id: body.strip("\n") for grade_id, body in zip(parts[1::2], parts[2::2], strict=True)}
    if not replaces:
        raise ValueError(f"{path.name} needs a line `# cell: <grade_id>` above the answer that it brings.")
    loses = frozenset(fields.get("loses", "").split())
    if loses and not (fields.get("code") and fields.get("says")):
        raise ValueError(f"{path.name} loses points, so it needs `code:` and `says:` in its docstring.")
    says = tuple(words.strip() for words in fields.get("says", "").split(" | ") if words.strip())
    return Fixture(path, header.splitlines()[0], replaces, loses, tuple(fields.get("code", "").split()), says)


def read_fixtures(folder: Path) -> list[Fixture]:
    """All fixtures of a folder, by name."""
    return [read_fixture(path) for path in sorted(folder.glob("*.py"))]


def solution_notebook(root: Path, exercise: str) -> NotebookNode:
    """The instructor's notebook, answers and hidden tests included."""
    return nbformat.read(root / "solutions" / exercise / f"{exercise}.ipynb", as_version=4)


def release_notebook(root: Path, exercise: str) -> NotebookNode:
    """The notebook that students get."""
    return nbformat.read(root / "exercises" / exercise / f"{exercise}.ipynb", as_version=4)


def grade_id(cell: NotebookNode) -> str:
    """The cell's name in nbgrader; "" for a cell that nbgrader does not know."""
    return str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))


def answers(solution: NotebookNode) -> dict[str, str]:
    """The right answer to each cell that a student fills in, by grade_id."""
    return {grade_id(c): c.source for c in solution.cells if c.metadata.get("nbgrader", {}).get("solution")}


def graded_points(solution: NotebookNode) -> dict[str, float]:
    """Points of each test cell that is graded by running it, by grade_id."""
    rows = [(grade_id(c), c.metadata.get("nbgrader", {})) for c in solution.cells if c.cell_type == "code"]
    return {name: float(info["points"]) for name, info in rows if info.get("grade") and not info.get("solution")}


def points_in_words(solution: NotebookNode) -> dict[str, float]:
    """Points of each answer that a person grades, by grade_id."""
    rows = [(grade_id(c), c.metadata.get("nbgrader", {})) for c in solution.cells]
    return {name: float(info["points"]) for name, info in rows if info.get("grade") and info.get("solution")}


def submission(release: NotebookNode, given: Mapping[str, str]) -> NotebookNode:
    """The released notebook as a student hands it in, with these answers; the others stay untouched.

    Raises: ValueError when the notebook has no such answer.
    """
    notebook = nbformat.from_dict(release)
    cells = {grade_id(c): c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("solution")}
    unknown = sorted(set(given) - set(cells))
    if unknown:
        raise ValueError(f"The notebook has no answer {unknown[0]!r}; it has {', '.join(cells)}.")
    for name, source in given.items():
        cells[name].source = source
    return notebook
