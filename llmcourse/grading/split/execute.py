"""One submission, executed: the notebook that nbgrader's own scoring can read, whatever the student's code does."""

import ast
import json
import time
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

from llmcourse.grading.split.checking import failure
from llmcourse.grading.split.frames import Channel, PeerFailed
from llmcourse.grading.split.options import Options
from llmcourse.grading.split.pair import pair, tier_of
from llmcourse.grading.split.peer import GRACE, OutOfTime
from llmcourse.grading.split.rebuild import Cell, info, rebuild
from llmcourse.grading.split.withheld import flags, withheld_names

LEFT_OUT = "Not run while grading: no points hang on this cell. In your own notebook it runs."
MOST_PUT_OUT = 20 * 2**20  # characters that all of a student's cells put out, as many as a notebook may hold
CUT = {"output_type": "stream", "name": "stdout", "text": "(More was put out, and is left out here.)\n"}
SPARE = 3 * GRACE + 5  # seconds that a checker has beyond a cell's own, before it counts as stuck itself


def execute(source: NotebookNode, handed_in: NotebookNode, options: Options) -> NotebookNode:
    """The graded notebook: the instructor's cells with the student's answers, and what all of them put out.

    Its metadata lists what a person should look at. Nothing that the student's code does raises here.

    Raises: SandboxUnavailable where this machine has no sandbox and the options do not say to do without.
    """
    tier, withheld = tier_of(options), withheld_names(source, options.withheld)
    cells = rebuild(source, handed_in)
    with pair(tier, modules_of(source), withheld).children(options) as checker:
        run(cells, checker, options)
    graded = NotebookNode(nbformat=4, nbformat_minor=5, metadata=NotebookNode(source.metadata))
    graded.cells = [cell.node for cell in cells]
    kept = dict(source.metadata.get("llmcourse", {}))
    own = [cell.node for cell in cells if cell.student and not cell.checker]
    graded.metadata["llmcourse"] = NotebookNode({**kept, "flags": flags(own, withheld)})
    return graded


def run(cells: Sequence[Cell], checker: Channel, options: Options) -> None:
    """Run the cells in order, and fill in what they put out."""
    end = time.monotonic() + options.seconds_in_all
    count, room = 0, MOST_PUT_OUT
    for cell in cells:
        if not cell.student and not cell.checker:
            continue
        if cell.payoff and not options.payoffs:
            cell.node.outputs = [notebook_output({"output_type": "stream", "name": "stdout", "text": LEFT_OUT}, count)]
            continue
        start = time.perf_counter()
        if cell.student:
            outputs, room = fitting(ask(checker, {"where": "student", "source": cell.for_student}, end, options), room)
        if cell.checker:
            about = info(cell.node)
            points = float(about["points"]) if about.get("grade") and "points" in about else None
            order = {"where": "checker", "source": cell.node.source, "points": points}
            outputs = ask(checker, {**order, "wanted": cell.wanted, "theirs": cell.theirs}, end, options)
        count += 1
        cell.node.execution_count = count
        cell.node.outputs = [notebook_output(output, count) for output in outputs]
        cell.node.metadata["llmcourse"] = NotebookNode(seconds=round(time.perf_counter() - start, 3))  # for the report


def ask(checker: Channel, order: dict[str, Any], end: float, options: Options) -> list[dict[str, Any]]:
    """The outputs of one cell; an error where it cannot run any more."""
    seconds = min(options.seconds_per_cell, end - time.monotonic())
    if seconds <= 0:
        return [failure(OutOfTime(f"this notebook took more than {options.seconds_in_all:g} seconds"))]
    try:
        deadline = time.monotonic() + seconds + SPARE
        checker.send({**order, "seconds": seconds}, [], deadline)
        answer, _ = checker.receive(deadline)
    except (PeerFailed, ValueError) as error:
        return [failure(PeerFailed(f"the checker had to be stopped ({error})"))]
    outputs: list[dict[str, Any]] = answer["outputs"]
    return outputs


def fitting(outputs: list[dict[str, Any]], room: int) -> tuple[list[dict[str, Any]], int]:
    """The outputs of a student's cell as far as there is room, and the room that is left; no score hangs on them."""
    for count, output in enumerate(outputs):
        size = len(json.dumps(output))
        if size > room:
            return [*outputs[:count], CUT], room
        room -= size
    return outputs, room


def notebook_output(output: dict[str, Any], count: int) -> NotebookNode:
    """One output in the notebook's own form."""
    counted = {"execution_count": count} if output["output_type"] == "execute_result" else {}
    data = {"data": NotebookNode(output["data"]), "metadata": NotebookNode()} if "data" in output else {}
    return NotebookNode({**output, **counted, **data})


def modules_of(source: NotebookNode) -> list[str]:
    """What the instructor's cells import, as `module` or `module:name`; warm parents do it beforehand."""
    sources = tuple(cell.source for cell in source.cells if cell.cell_type == "code")
    # a process's first optimizer imports this, for longer than most submissions take
    slow = ["torch._dynamo"] if any("torch.optim" in each for each in sources) else []
    return [*modules_in(sources), *slow]


@lru_cache(maxsize=16)
def modules_in(sources: tuple[str, ...]) -> tuple[str, ...]:
    """What these cells import."""
    found: list[str] = []
    for source in sources:
        try:
            tree = ast.parse(TransformerManager().transform_cell(source))
        except SyntaxError:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                found += [f"{node.module}:{alias.name}" for alias in node.names]
    return tuple(sorted(set(found)))
