"""The graded notebook: whose text stands where, and which names are whose."""

from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from llmcourse.grading.split.lint import lint
from llmcourse.grading.split.options import Options
from llmcourse.grading.split.rebuild import MISSING, Cell, names_in, rebuild
from llmcourse.grading.split.withheld import flags
from tests.exercises.harness import EXERCISES, handed_in, solution


def cell(name: str, source: str, kind: str = "setup", points: float = 1) -> Any:
    """One cell: "setup" (locked), "answer", "test", or "words"; "" for one without a name."""
    made = (new_markdown_cell if kind == "words" else new_code_cell)(source)
    if name:
        about = {"grade_id": name, "schema_version": 3, "task": False, "locked": kind in ("setup", "test")}
        about |= {"solution": kind in ("answer", "words"), "grade": kind in ("test", "words")}
        made.metadata["nbgrader"] = {**about, **({"points": points} if about["grade"] else {})}
    return made


def notebook(*cells: Any, **metadata: Any) -> Any:
    made = new_notebook(cells=list(cells), metadata=metadata)
    for number, each in enumerate(made.cells):
        each.id = f"c{number}"
    return made


SOURCE = notebook(
    cell("imports", "import math"),
    cell("f", "def f(x):\n    return secret_answer(x)", "answer"),
    cell("f_test", "assert f(1) == 1\n### BEGIN HIDDEN TESTS\nassert f(2) == 2\n### END HIDDEN TESTS", "test"),
    cell("words", "the right words", "words"),
    cell("payoff", "print(f(3))"),
)


def by_name(cells: list[Cell]) -> dict[str, Cell]:
    return {each.node.metadata.get("nbgrader", {}).get("grade_id", each.node.source): each for each in cells}


def test_only_answers_hold_a_students_text_and_no_answer_of_the_instructors_is_left() -> None:
    given = notebook(
        cell("f_test", "pass", "test"),
        cell("f", "def f(x): return x", "answer"),
        cell("imports", "math = None"),
        cell("words", "my words", "words"),
    )
    cells = by_name(rebuild(SOURCE, given))
    assert [*cells] == ["imports", "f", "f_test", "words", "payoff"]
    assert cells["f"].node.source == "def f(x): return x"
    assert cells["f_test"].node.source == SOURCE.cells[2].source
    assert cells["imports"].node.source == "import math"
    assert cells["words"].node.source == "my words"
    assert "secret_answer" not in "".join(each.node.source for each in cells.values())


def test_cells_of_the_students_own_stay_behind_the_cell_that_they_follow() -> None:
    given = notebook(
        cell("", "first"),
        cell("imports", ""),
        cell("", "second"),
        cell("f", "old answer", "answer"),
        cell("f", "new answer", "answer"),
        cell("unknown", "third", "test"),
    )
    cells = rebuild(SOURCE, given)
    sources = [each.node.source for each in cells]
    assert sources[:6] == ["first", "import math", "second", "old answer", "new answer", "third"]
    assert [each.student for each in cells[:6]] == [True, True, True, True, True, True]
    assert not cells[5].checker
    assert cells[5].node.metadata == {}


def test_a_missing_answer_is_an_empty_one() -> None:
    assert by_name(rebuild(SOURCE, notebook()))["f"].node.source == MISSING


def test_a_rebuilt_notebook_is_sound_whatever_comes_in() -> None:
    given = notebook(cell("", "a"), cell("", "b"), cell("f", "c", "answer"))
    for number, each in enumerate(given.cells):
        each.id = "c1" if number < 2 else "not an id at all!"
        each.metadata["tags"] = "nonsense"
    graded = notebook(*(each.node for each in rebuild(SOURCE, given)))
    nbformat.validate(graded)


def test_pictures_of_an_answer_stay_and_nothing_else_does() -> None:
    given = notebook(cell("words", "![](a.png)", "words"))
    given.cells[0].attachments = {"a.png": {"image/png": "QUJD", "text/html": "<b>"}, "b": {"image/png": "<script>"}}
    assert by_name(rebuild(SOURCE, given))["words"].node.attachments == {"a.png": {"image/png": "QUJD"}, "b": {}}


def test_tests_look_up_answers_over_there_and_keep_their_own_names() -> None:
    given = notebook(cell("f", "def f(x): return x\nmath = None\nhelper = 1", "answer"))
    cells = by_name(rebuild(SOURCE, given))
    assert cells["f_test"].theirs == ["f"]
    assert cells["f_test"].wanted == ["f"]
    assert cells["imports"].student
    assert not cells["payoff"].student
    assert [name for name, each in cells.items() if each.payoff] == ["payoff"]
    assert not cells["f_test"].student


def test_what_the_student_runs_of_ours_holds_no_hidden_test() -> None:
    setup = cell("setup", "a = 1\n### BEGIN HIDDEN TESTS\nb = 2\n### END HIDDEN TESTS\nc = 3")
    (made,) = rebuild(notebook(setup), notebook())
    assert made.for_student == "a = 1\n\nc = 3"
    assert lint(notebook(setup))[0].startswith("setup: hidden tests belong")


def test_names_are_found_where_python_finds_them() -> None:
    source = "import a.b as c\nd = e\ndef f(g):\n    h = i\n    return g + h\n%time x = 1\nclass J(k): pass"
    bound, loaded = names_in(source)
    assert {"c", "d", "f", "J"} <= bound
    assert {"e", "i", "k"} <= loaded
    assert not {"g", "h"} & (bound | loaded)
    assert names_in("def (:") == (set(), set())


def test_the_courses_exercises_pass_the_lint() -> None:
    for exercise in EXERCISES:
        assert lint(solution(exercise)) == []
        cells = rebuild(solution(exercise), handed_in(exercise, {}))
        own = [each.node for each in cells if each.student and not each.checker]
        assert flags(own, solution(exercise).metadata.get("llmcourse", {}).get("withheld", {})) == []


def test_the_lint_names_what_cannot_cross() -> None:
    complaints = {
        "assert f": "neither true nor false",
        "if not f: pass": "neither true nor false",
        "assert f == print": "equals only itself",
        "f.__code__": "looks inside",
        "import inspect\ninspect.signature(f)": "looks inside",
        "class A(f): pass": "stand-in",
        "assert isinstance(3, f)": "stand-in",
        "import copy\ncopy.deepcopy(f)": "copied",
        "f(3)": "take it for points",
        "exec('f(3)')": "runs text",
        "m = f()\nm.register_forward_hook(print)": "hooks",
        "def (": "no Python",
    }
    for source, why in complaints.items():
        found = lint(notebook(cell("f", "def f(x): pass", "answer"), cell("f_test", source, "test")))
        assert len(found) == 1, (source, found)
        assert found[0].startswith("f_test, line ")
        assert why in found[0]
    fine = "assert f is not None\nvalue = f(3)\nassert value == 1\nassert callable(f)\nassert isinstance(f(), int)"
    assert lint(notebook(cell("f", "def f(x): pass", "answer"), cell("f_test", fine, "test"))) == []


def test_the_lint_names_what_is_withheld_and_does_not_exist() -> None:
    (line,) = lint(notebook(llmcourse={"withheld": {"llmcourse.nothing.at_all": "why"}}))
    assert "no such name" in line


def test_flags_find_withheld_names_in_many_spellings() -> None:
    names = {"llmcourse.model.attention.attend": "why", "torch.nn.functional.softmax": "by hand"}
    spellings = [
        "from llmcourse.model import attend",
        "from llmcourse.model.attention import attend as a",
        "import llmcourse.model.attention as m\nm.x; llmcourse.model.attention.attend",
        "from llmcourse.model import *",
        "import importlib\nimportlib.import_module('llmcourse.model.attention.attend')",
        "F.softmax(x, -1)",
        "torch.nn.functional.softmax(x)",
        "f.__globals__",
        "import ctypes",
    ]
    for spelling in spellings:
        assert flags([cell("f", spelling, "answer")], names), spelling
    for innocent in ["attend = 1", "x.softmax", "my.attend(3)", "def attend(): pass", "from torch import nn", "("]:
        assert flags([cell("f", innocent, "answer")], {"llmcourse.model.attention.attend": ""}) == [], innocent


def test_options_survive_json_and_refuse_nonsense() -> None:
    options = Options(seconds_per_cell=3, secret="s", withheld=(("a.b", "why"),))
    assert Options.from_json(options.to_json()) == options
    with pytest.raises(ValueError, match="more than 0"):
        Options(seconds_per_cell=0)
    with pytest.raises(ValueError, match="no option"):
        Options.from_json({"colour": "red"})
