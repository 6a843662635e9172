"""What an attack is tried on: the attention exercise, answered wrongly in part, with marks that must not leak."""

import ast
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode
from nbgrader.utils import determine_grade

from llmcourse.grading.fixtures import grade_id, graded_points, release_notebook, solution_notebook, submission
from llmcourse.grading.split import Options
from tests.grading.attacks.notebooks import NOTEBOOKS

EXERCISE = "06-attention"
CELLS = Path(__file__).parent / "cells"
CANARY = "CANARY-8c5f1e"  # stands in every hidden test, and must come back nowhere
SECRET = "SECRET-OF-THE-CLASS-51c0"
LEFT_BEHIND = "llmcourse-attack-left-this"
PARTS = ("", "_check", "_test")
SECONDS = 10.0  # for one cell

FIRST = {f"{task}{part}" for task in ("attention_scores", "causal_mask", "attention_weights") for part in PARTS}
FIRST |= {"words"}
LAYER = {"CausalSelfAttention", "self_attention_check", "self_attention_test", "padding_check", "padding_test"}
LAYER |= {"dropout_check"}

# two answers are right, the others are usual mistakes: that gives the honest mark
WRONG = {
    "attention_scores": "def attention_scores(query, key):\n    return query @ key.mT",
    "causal_mask": (
        "def causal_mask(n_queries, n_keys):\n"
        "    return torch.ones(n_queries, n_keys, dtype=torch.bool).tril(n_keys - n_queries)"
    ),
    "mask_to_bias": (
        "def mask_to_bias(may_read):\n    return torch.zeros(may_read.shape).masked_fill(~may_read, -torch.inf)"
    ),
    "attention_weights": "def attention_weights(scores, bias):\n    return scores.softmax(-1) * bias.exp()",
    "read_values": (
        "def read_values(weights, value):\n    return value.mean(-2, keepdim=True).expand(*weights.shape[:-1], -1)"
    ),
    "split_heads": (
        "def split_heads(vectors, n_heads):\n"
        "    b, t, d = vectors.shape\n    return vectors.reshape(b, n_heads, t, d // n_heads)"
    ),
    "merge_heads": "def merge_heads(heads):\n    b, h, t, k = heads.shape\n    return heads.reshape(b, t, h * k)",
    "CausalSelfAttention": (
        "class CausalSelfAttention(nn.Module):\n"
        "    def __init__(self, d_in, d_out, n_heads, dropout=0.0):\n"
        "        super().__init__()\n"
        "        self.query, self.key, self.value = (nn.Linear(d_in, d_out) for _ in range(3))\n"
        "        self.output = nn.Linear(d_out, d_out)\n\n"
        "    def forward(self, vectors, is_real=None):\n"
        "        return self.output(self.value(vectors))"
    ),
}


@dataclass(frozen=True)
class Attack:
    """One mechanism: its name, what it tries, and the cell that carries it, if it is one of code."""

    name: str
    tries: str
    code: str = ""
    task: str = "attention_scores"

    @property
    def layer(self) -> bool:
        """Whether it goes for the exercise's last task."""
        return self.task == "CausalSelfAttention"


def attacks() -> list[Attack]:
    """All of them, by name."""
    found = [Attack(name, (change.__doc__ or "").strip()) for name, change in NOTEBOOKS.items()]
    for path in sorted(CELLS.glob("*.py")):
        code = path.read_text(encoding="utf-8")
        said = ast.get_docstring(ast.parse(code)) or ""
        tries, _, task = said.partition("\n\nTask: ")
        found.append(Attack(path.stem, tries, code, task.strip() or "attention_scores"))
    return sorted(found, key=lambda each: each.name)


def part(notebook: NotebookNode, layer: bool) -> NotebookNode:
    """The imports, with the cells of the exercise's first tasks or of its last, the layer.

    The parts are graded apart, so that hundreds of runs take minutes.
    """
    tasks = LAYER if layer else FIRST
    notebook.cells = [cell for cell in notebook.cells if grade_id(cell) in tasks or cell.source.startswith("import ")]
    return notebook


def instructors_notebook(root: Path, layer: bool) -> NotebookNode:
    """A part of the exercise, with a mark in each hidden test."""
    notebook = part(solution_notebook(root, EXERCISE), layer)
    for cell in notebook.cells:
        cell.source = cell.source.replace("### BEGIN HIDDEN TESTS", f"### BEGIN HIDDEN TESTS\n# {CANARY}")
    return notebook


def wrong_notebook(
    root: Path, layer: bool | None = None, attack: Attack | None = None, outside: Path = Path("/nowhere")
) -> NotebookNode:
    """What a student hands in, a part of it or all: wrong answers, and the attack in or behind one of them."""
    given = dict(WRONG)
    if attack is not None and attack.code:
        reach = f"from pathlib import Path\n\nOUTSIDE = Path({str(outside)!r})\n" if "OUTSIDE" in attack.code else ""
        given[attack.task] = f"{given[attack.task]}\n\n\n{reach}{attack.code}"
    notebook = submission(release_notebook(root, EXERCISE), given)
    notebook = notebook if layer is None else part(notebook, layer)
    if attack is not None and not attack.code:
        NOTEBOOKS[attack.name](notebook)
    return notebook


def options(tier: str) -> Options:
    """How an attack is executed: short, and with a secret that must not come back."""
    return Options(seconds_per_cell=SECONDS, seconds_in_all=60.0, sandbox=tier, secret=SECRET)


def points(source: NotebookNode, graded: NotebookNode) -> dict[str, float]:
    """What nbgrader's own scoring makes of the graded notebook, by test; the instructor's list of tests counts."""
    log = logging.getLogger("tests")
    found = {}
    for name, most in graded_points(source).items():
        (cell,) = [each for each in graded.cells if grade_id(each) == name]
        given, of = determine_grade(cell, log)
        assert of == most, f"{name} counts {of} points"
        found[name] = float(given or 0)
    return found


def told(source: NotebookNode, graded: NotebookNode) -> Iterator[str]:
    """All text that comes back and may reach a student: every cell and output but the hidden tests and their errors."""
    hidden = {grade_id(cell) for cell in source.cells if CANARY in cell.source}
    yield json.dumps(graded.metadata)
    for cell in graded.cells:
        if grade_id(cell) not in hidden:
            yield json.dumps(cell)
            continue
        for output in cell.outputs:
            # the frames of a hidden test's error are cut from feedback; its message is what students read
            yield json.dumps({**output, "traceback": []})
