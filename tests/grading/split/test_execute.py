"""Whole notebooks through two real processes, without a sandbox: those have tests of their own."""

import time
from dataclasses import replace
from typing import Any

import nbformat
import pytest
from nbgrader.utils import determine_grade

from llmcourse.grading.sandbox import SandboxUnavailable
from llmcourse.grading.split import Options, execute, pair
from tests.grading.split.test_rebuild import cell, notebook

pytestmark = pytest.mark.slow
OPTIONS = Options(sandbox="none", seconds_per_cell=5, secret="a made-up secret")

SOURCE = notebook(
    cell(
        "imports", "import os\nimport random\nimport torch\nfrom torch import nn\nfrom torch.nn import functional as F"
    ),
    cell("double", "def double(x): return 2 * x", "answer"),
    cell("double_test", "assert double(3) == 6\nassert double(torch.ones(2)).tolist() == [2.0, 2.0]", "test"),
    cell("number", "number = 5", "answer"),
    cell("number_test", "assert number == 5", "test"),
    cell("partial", "def score(): return 1", "answer"),
    cell("partial_test", "import math\nfloat(score()) / 2", "test", points=2),
    cell("nothing_test", "double", "test"),
    cell("where", "def where(): return dict(__import__('os').environ)", "answer"),
    cell("secret_test", "assert os.environ['LLMCOURSE_CLASS_SECRET'] not in str(where())", "test"),
    cell("chance", "def chance(): return torch.rand(2), random.random()", "answer"),
    cell(
        "chance_test",
        "def draw(seed):\n    torch.manual_seed(seed)\n    random.seed(seed)\n    return str([chance(), chance()])\n"
        "torch.manual_seed(3)\nexpected = torch.rand(2)\ntorch.manual_seed(3)\n"
        "assert torch.equal(chance()[0], expected)\nassert not torch.equal(chance()[0], expected)\n"
        "assert draw(3) == draw(3) != draw(4)",
        "test",
    ),
    cell("fused", "def fused(x): return x.softmax(-1)", "answer"),
    cell("fused_test", "assert torch.allclose(fused(torch.zeros(2)), torch.full((2,), 0.5))", "test"),
    cell(
        "payoff",
        "class Pay(nn.Module):\n    def forward(self, x):\n        return double(x)\nprint(Pay()(torch.ones(1)))",
    ),
    llmcourse={"withheld": {"torch.nn.functional.softmax": "you are to write it", "llmcourse.training": "it is yours"}},
)
RIGHT = {
    name: c.source for c in SOURCE.cells if (name := c.metadata.nbgrader.grade_id) and c.metadata.nbgrader.solution
}


def hand_in(*more: Any, **answers: str) -> Any:
    given = {**RIGHT, **answers}
    cells = [cell(name, source, "answer") for name, source in given.items()]
    return notebook(*more, *cells)


def run(*more: Any, options: Options = OPTIONS, **answers: str) -> Any:
    return execute(SOURCE, hand_in(*more, **answers), options)


def points(graded: Any) -> dict[str, float]:
    return {
        each.metadata.nbgrader.grade_id: determine_grade(each)[0]
        for each in graded.cells
        if each.metadata.get("nbgrader", {}).get("grade")
    }


def shown(graded: Any, name: str) -> str:
    (found,) = [each for each in graded.cells if each.metadata.get("nbgrader", {}).get("grade_id") == name]
    return str(found.outputs)


ALL = {"double_test": 1, "number_test": 1, "partial_test": 0.5, "nothing_test": 1, "secret_test": 1, "chance_test": 1}
ALL |= {"fused_test": 1}


@pytest.fixture(scope="module")
def perfect() -> Any:
    return run(cell("", "print('mine')"))


def test_right_answers_get_all_points_and_the_notebook_is_sound(perfect: Any) -> None:
    assert points(perfect) == ALL
    nbformat.validate(perfect)
    assert perfect.cells[0].outputs[0].text == "mine\n"
    assert perfect.metadata.llmcourse.flags == []


def test_a_cell_behind_the_last_test_runs_where_it_is_asked_for_and_else_says_that_it_did_not(perfect: Any) -> None:
    assert "Not run while grading" in shown(perfect, "payoff")
    graded = run(options=replace(OPTIONS, payoffs=True))
    assert "tensor([2.])" in shown(graded, "payoff")
    assert points(graded) == points(perfect)


def test_a_childs_first_cell_is_the_first() -> None:
    graded = run(number="number = 5\nprint(len(In), Out, __import__('sys').__dict__.get('last_value'))")
    assert "'4 {} None\\n'" in shown(graded, "number")


def test_a_value_that_is_no_number_of_points_is_left_out(perfect: Any) -> None:
    assert shown(perfect, "nothing_test") == "[]"
    over = run(partial="def score(): return 40")
    assert points(over)["partial_test"] == 0
    assert "of 2.0 points" in shown(over, "partial_test")


def test_wrong_and_missing_answers_lose_their_own_points_alone() -> None:
    graded = run(double="def double(x): return 3 * x", number="", fused="1 / 0")
    assert points(graded) == {**ALL, "double_test": 0, "number_test": 0, "fused_test": 0}
    assert "NameError" in shown(graded, "number_test")
    assert "ZeroDivisionError" in shown(graded, "fused")


def test_a_student_cannot_replace_what_the_tests_use() -> None:
    spoiled = "torch = F = None\nimport builtins\nbuiltins.abs = float = None\nassert_ = 1"
    own = cell("", "torch.equal = torch.allclose = lambda *a: True\ndraw = None\nos.environ.clear()")
    graded = run(own, double=f"{spoiled}\ndef double(x): return 7", fused="def fused(x): return x")
    assert points(graded) == {**ALL, "double_test": 0, "fused_test": 0, "chance_test": 0}


def test_endless_loops_cost_their_own_points_alone() -> None:
    start = time.monotonic()
    options = replace(OPTIONS, seconds_per_cell=1)
    graded = run(cell("", "while True: pass"), double="def double(x):\n    while True: pass", options=options)
    assert points(graded) == {**ALL, "double_test": 0}
    assert "TimeoutError" in str(graded.cells[0].outputs)
    assert "took more than 1 seconds" in shown(graded, "double_test")
    assert time.monotonic() - start < 60


def test_a_loop_that_cannot_be_interrupted_ends_with_its_process() -> None:
    stuck = "def double(x):\n    while True:\n        try: sum(range(9**6))\n        except BaseException: pass"
    options = replace(OPTIONS, seconds_per_cell=1)
    graded = run(double=stuck, options=options)
    assert set(points(graded).values()) == {0}
    assert "did not answer in time" in shown(graded, "fused_test")
    assert points(run(options=options)) == ALL  # the next one is none the worse


def test_a_process_that_ends_itself_keeps_the_points_that_it_had() -> None:
    graded = run(number="import os\nos._exit(0)")
    assert {name for name, got in points(graded).items() if got} == {"double_test"}
    assert "cannot go on: it has ended" in shown(graded, "fused_test")


def test_a_generator_without_end_is_stopped() -> None:
    options = replace(OPTIONS, seconds_per_cell=1)
    source = notebook(
        cell("f", "def f(): yield from range(3)", "answer"), cell("f_test", "assert sum(1 for _ in f()) == 3", "test")
    )
    given = notebook(cell("f", "def f():\n    while True: yield 1", "answer"))
    graded = execute(source, given, options)
    assert points(graded) == {"f_test": 0}


def test_a_notebook_that_takes_too_long_is_stopped() -> None:
    options = replace(OPTIONS, seconds_in_all=1)
    graded = run(cell("", "import time\ntime.sleep(3)"), options=options)
    assert set(points(graded).values()) == {0}
    assert "more than 1 seconds" in shown(graded, "fused_test")


def test_what_is_withheld_fails_and_says_why_and_is_flagged() -> None:
    graded = run(
        cell("", "from llmcourse.training.loop import train"),
        fused="soft = F.softmax\ndef fused(x): return soft(x, -1)",
    )
    assert points(graded) == {**ALL, "fused_test": 0}
    assert "is withheld in this exercise: it is yours" in str(graded.cells[0].outputs)
    assert "is withheld in this exercise: you are to write it" in shown(graded, "fused_test")
    flagged = {(flag["cell"], flag["name"]) for flag in graded.metadata.llmcourse.flags}
    assert ("fused", "torch.nn.functional.softmax") in flagged
    assert "llmcourse.training" in {name for _, name in flagged}


def test_withheld_names_of_the_options_count_too() -> None:
    options = replace(OPTIONS, withheld=(("torch.full", "not today"),))
    graded = run(double="def double(x): return torch.full((2,), 2.0)", options=options)
    assert "not today" in shown(graded, "double_test")


def test_outputs_are_text_and_pictures_and_no_page() -> None:
    own = "from IPython.display import HTML, display\ndisplay(HTML('<script>'))\nprint('x' * 10**6)\nHTML('<b>')"
    graded = run(cell("", own))
    text = str(graded.cells[0].outputs)
    assert "script" not in text
    assert "(more was printed)" in text
    assert len(text) < 30_000


def test_the_same_submission_gives_the_same_notebook_in_new_processes(perfect: Any) -> None:
    pair.close()
    again = run(cell("", "print('mine')"))
    assert timeless(again) == timeless(perfect)


def timeless(graded: Any) -> str:
    """The notebook as text, without the seconds that each cell took."""
    copy = nbformat.from_dict(graded)
    for each in copy.cells:
        each.metadata.pop("llmcourse", None)
    return nbformat.writes(copy)


def test_each_cell_that_ran_says_how_long_it_took(perfect: Any) -> None:
    seconds = {each.id: each.metadata.llmcourse.seconds for each in perfect.cells if "llmcourse" in each.metadata}
    ran = {each.id for each in perfect.cells if each.cell_type == "code" and each.execution_count}
    assert set(seconds) == ran
    assert all(0 < each < 60 for each in seconds.values())


def test_without_a_sandbox_nothing_runs_unless_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(report: Any) -> None:
        raise SandboxUnavailable("No sandbox here.")

    monkeypatch.setattr(pair, "require", refuse)
    monkeypatch.setattr(pair, "report", lambda: None)
    with pytest.raises(SandboxUnavailable):
        run(options=Options())


def test_what_the_first_optimizer_loads_is_loaded_before_a_submission_starts() -> None:
    answer = "import torch\n\n\ndef make(w):\n    return torch.optim.SGD([w], lr=1.0)"
    source = notebook(cell("make", answer, "answer"), cell("make_test", "assert make", "test"))
    count = "import sys\nbefore = set(sys.modules)\nmake(torch.zeros(1))\nprint(len(set(sys.modules) - before))"
    graded = execute(source, notebook(cell("make", f"{answer}\n\n\n{count}", "answer")), OPTIONS)
    assert graded.cells[0].outputs[0].text == "0\n"
