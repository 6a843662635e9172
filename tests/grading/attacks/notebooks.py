"""Attacks by the notebook itself: what a student can write into the file, rather than into a cell."""

from collections.abc import Callable
from typing import Any

import nbformat
from nbformat import NotebookNode

Change = Callable[[NotebookNode], None]
NOTEBOOKS: dict[str, Change] = {}
SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(1)>"


def attack(change: Change) -> Change:
    """Register a way to spoil a handed-in notebook; its docstring says what is tried."""
    NOTEBOOKS[change.__name__] = change
    return change


def info(cell: NotebookNode) -> dict[str, Any]:
    """What nbgrader keeps with a cell."""
    return cell.metadata.get("nbgrader", {})


def tests(notebook: NotebookNode) -> list[NotebookNode]:
    """The cells that give points by running."""
    return [cell for cell in notebook.cells if info(cell).get("grade") and not info(cell).get("solution")]


@attack
def outputs_filled_in(notebook: NotebookNode) -> None:
    """Hand in test cells that carry the outputs of a success, and a result that reads as a score."""
    for cell in tests(notebook):
        cell.outputs = [nbformat.v4.new_output("execute_result", {"text/plain": "24"}, execution_count=1)]
        cell.execution_count = 1


@attack
def points_raised(notebook: NotebookNode) -> None:
    """Write more points into the test cells' metadata."""
    for cell in tests(notebook):
        info(cell)["points"] = 1000


@attack
def tests_emptied(notebook: NotebookNode) -> None:
    """Hand in test cells with nothing in them."""
    for cell in tests(notebook):
        cell.source = "pass"


@attack
def tests_deleted(notebook: NotebookNode) -> None:
    """Hand in no test cells at all."""
    notebook.cells = [cell for cell in notebook.cells if cell not in tests(notebook)]


@attack
def tests_turned_into_text(notebook: NotebookNode) -> None:
    """Turn the test cells into Markdown, which never fails."""
    for cell in tests(notebook):
        cell.cell_type = "markdown"
        cell.pop("outputs", None)
        cell.pop("execution_count", None)


@attack
def tests_turned_into_answers(notebook: NotebookNode) -> None:
    """Mark the test cells as answers that are not locked, so that the student's text stays in them."""
    for cell in tests(notebook):
        cell.source = "2"
        info(cell).update(solution=True, locked=False, grade=False, task=False)


@attack
def names_given_twice(notebook: NotebookNode) -> None:
    """Add a second cell with the name of each test, before and behind the real one."""
    doubles = []
    for cell in tests(notebook):
        double = nbformat.v4.new_code_cell("1", metadata={"nbgrader": dict(info(cell))})
        doubles += [double, cell, nbformat.v4.new_code_cell("2", metadata={"nbgrader": dict(info(cell))})]
    notebook.cells = [cell for cell in notebook.cells if cell not in tests(notebook)] + doubles


@attack
def tests_added(notebook: NotebookNode) -> None:
    """Add test cells of one's own, worth a hundred points each."""
    for number in range(3):
        about = {"grade_id": f"own_{number}", "grade": True, "solution": False, "locked": True, "points": 100}
        about |= {"schema_version": 3, "task": False, "cell_type": "code"}
        notebook.cells.append(nbformat.v4.new_code_cell("100", metadata={"nbgrader": about}))


@attack
def cells_turned_round(notebook: NotebookNode) -> None:
    """Hand in the cells in the opposite order, the tests before the answers."""
    notebook.cells.reverse()


@attack
def kernel_of_ones_own(notebook: NotebookNode) -> None:
    """Ask for another kernel and another language."""
    notebook.metadata["kernelspec"] = {"name": "bash", "display_name": SCRIPT, "language": "bash"}
    notebook.metadata["language_info"] = {"name": "bash", "pygments_lexer": SCRIPT}


@attack
def orders_to_the_grader(notebook: NotebookNode) -> None:
    """Write the grader's own settings into the notebook: nothing is withheld, all is well, the sandbox is off."""
    notebook.metadata["llmcourse"] = {"withheld": {}, "flags": [], "sandbox": "none", "secret": "mine"}
    for cell in notebook.cells:
        cell.metadata["llmcourse"] = {"where": "checker"}
        cell.metadata["tags"] = ["checker", "hidden", "raises-exception", "skip-execution"]


@attack
def schema_of_another_age(notebook: NotebookNode) -> None:
    """Give the cells' metadata versions that nbgrader cannot read."""
    for number, cell in enumerate(notebook.cells):
        if info(cell):
            info(cell)["schema_version"] = [1, 2, 99, "x", None][number % 5]


@attack
def metadata_of_other_types(notebook: NotebookNode) -> None:
    """Put lists, numbers and texts where dictionaries belong."""
    for number, cell in enumerate(notebook.cells):
        if not info(cell):
            cell.metadata["nbgrader"] = [[], 7, "grade", None, {"grade_id": []}][number % 5]
        cell["id"] = ["same", "", "<b>", "x" * 1000][number % 4]


@attack
def sources_of_other_types(notebook: NotebookNode) -> None:
    """Put lists, numbers and nothing where a cell's text belongs."""
    for number, cell in enumerate(cell for cell in notebook.cells if not info(cell)):
        cell.source = [["a = 1\n", "b = 2"], 7, None, {"text": "x"}][number % 4]


@attack
def cells_of_unknown_kinds(notebook: NotebookNode) -> None:
    """Add cells of kinds that do not exist, and kinds that are no text."""
    for kind in ("heading", "html", "", 7, None):
        notebook.cells.append(NotebookNode(cell_type=kind, source=SCRIPT, metadata=NotebookNode()))
    notebook.cells.append(NotebookNode(cell_type="code", source="pass", metadata=NotebookNode(), outputs={"a": 1}))


@attack
def cell_of_ten_million_letters(notebook: NotebookNode) -> None:
    """Add a cell that is longer than anybody can read."""
    notebook.cells.append(nbformat.v4.new_code_cell("a = '" + "x" * 10_000_000 + "'"))


@attack
def cells_without_number(notebook: NotebookNode) -> None:
    """Add two thousand cells of text."""
    notebook.cells += [nbformat.v4.new_markdown_cell("x") for _ in range(2_000)]


@attack
def pictures_that_are_paths(notebook: NotebookNode) -> None:
    """Attach pictures whose names are paths outside, and whose contents are scripts."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.attachments = {
                "../../../llmcourse-attack-left-this": {"image/png": "AAAA"},
                f'"{SCRIPT}': {"text/html": SCRIPT, "image/svg+xml": SCRIPT},
            }


@attack
def scripts_in_words(notebook: NotebookNode) -> None:
    """Write scripts into the answer in words, and into Markdown of one's own."""
    for cell in notebook.cells:
        if info(cell).get("grade_id") == "words":
            cell.source = SCRIPT
    notebook.cells.append(nbformat.v4.new_markdown_cell(f"[x](javascript:alert(1)) {SCRIPT}"))


@attack
def scripts_in_metadata(notebook: NotebookNode) -> None:
    """Write scripts into the title, the authors and the state of widgets."""
    notebook.metadata["title"] = SCRIPT
    notebook.metadata["authors"] = [{"name": SCRIPT}]
    model = {"model_name": "HTMLModel", "model_module": "@jupyter-widgets/controls", "state": {"value": SCRIPT}}
    state = {"state": {"x": model}, "version_major": 2, "version_minor": 0}
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": state}


@attack
def marks_of_hidden_tests(notebook: NotebookNode) -> None:
    """Write the marks of hidden tests and of solutions into answers, to move what is cut away."""
    for cell in notebook.cells:
        if info(cell).get("solution") and cell.cell_type == "code":
            cell.source = f"### END HIDDEN TESTS\n{cell.source}\n### BEGIN HIDDEN TESTS\n### BEGIN SOLUTION"


@attack
def letters_that_are_none(notebook: NotebookNode) -> None:
    """Write zero bytes, halves of characters and marks of direction into code and text."""
    notebook.cells.append(nbformat.v4.new_code_cell("a = '\x00\ud800\u202e'\n\x0c\x1a"))
    notebook.cells.append(nbformat.v4.new_markdown_cell("\ud800\x00\u202e"))


@attack
def magic_of_the_shell(notebook: NotebookNode) -> None:
    """Use IPython's magic to forget names, to reload, to run files and other languages."""
    lines = ["%reset -f", "%run /etc/passwd", "%load_ext storemagic", "%%writefile check.py\npass", "%cd /", "%store"]
    lines += [
        "%%capture\n1",
        "%%sh\ncd /tmp; touch llmcourse-attack-left-this",
        "%env LLMCOURSE_CLASS_SECRET=x",
        "%kill_bgscripts",
    ]
    answer = next(i for i, cell in enumerate(notebook.cells) if info(cell).get("grade_id") == "attention_scores")
    notebook.cells[answer + 1 : answer + 1] = [nbformat.v4.new_code_cell(line) for line in lines]


@attack
def metadata_without_a_floor(notebook: NotebookNode) -> None:
    """Nest the notebook's metadata hundreds deep."""
    deep: dict[str, Any] = {}
    for _ in range(300):
        deep = {"in": deep}
    notebook.metadata["deep"] = deep
