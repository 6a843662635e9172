"""What all checks share: teaching failures, copies of the input, different sizes, a diagnosis."""

import io
import sys
from contextlib import redirect_stderr, redirect_stdout

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.checks import CheckFailed, secret_seed, secret_seeds
from llmcourse.checks.core import Mistake, call, judge, normal, sizes
from llmcourse.checks.seeds import VARIABLE


def code_of(function, *inputs) -> str:
    with pytest.raises(CheckFailed) as caught:
        function(*inputs)
    return caught.value.code


def test_a_failure_shows_its_message_and_its_code_and_no_traceback() -> None:
    failure = CheckFailed("area.thing", "word " * 60)
    lines = failure._render_traceback_()
    assert max(map(len, lines)) <= 80
    assert lines[-1] == "(code: area.thing)"
    assert isinstance(failure, AssertionError)
    assert "area.thing" in str(failure)


@given(st.integers(0, 2**48), st.integers(2, 8))
def test_sizes_all_differ_and_depend_on_the_seed_alone(seed: int, count: int) -> None:
    chosen = sizes(seed, count)
    assert len(set(chosen)) == count
    assert chosen == sizes(seed, count)


def test_unfinished_and_broken_answers_are_told_apart() -> None:
    def unfinished():
        raise NotImplementedError

    def broken():
        return 1 / 0

    assert code_of(call, "area", unfinished) == "area.unfinished"
    assert code_of(call, "area", broken) == "area.raises"


def test_a_broken_answer_is_quoted_with_the_line_in_which_it_broke() -> None:
    names: dict = {}
    exec(compile("def f(x):\n    y = x\n    return y / 0\n", "<cell>", "exec"), names)
    with pytest.raises(CheckFailed, match=r"f stopped with ZeroDivisionError: .* \(line 3 of the cell\)"):
        call("area", names["f"], 1)


def test_an_answer_that_changes_its_input_is_caught_and_the_input_kept() -> None:
    given_tensor = torch.ones(3)
    assert code_of(call, "area", lambda x: x.mul_(2), given_tensor) == "area.changes-input"
    assert given_tensor.eq(1).all()


def test_the_diagnosis_names_the_mistake_that_leads_to_the_result() -> None:
    right = torch.arange(6.0).view(2, 3)
    mistakes = [
        Mistake("area.doubled", "doubled", lambda: right * 2),
        Mistake("area.turned", "turned", lambda: right.T),
    ]
    judge("area", "f", right.clone(), right, "A B", mistakes)
    assert code_of(judge, "area", "f", right * 2, right, "A B", mistakes) == "area.doubled"
    assert code_of(judge, "area", "f", right.T, right, "A B", mistakes) == "area.turned"
    assert code_of(judge, "area", "f", right[0], right, "A B", mistakes) == "area.shape"
    assert code_of(judge, "area", "f", right / 0, right, "A B", mistakes) == "area.nan"
    assert code_of(judge, "area", "f", None, right, "A B", mistakes) == "area.not-a-tensor"
    with pytest.raises(CheckFailed, match=r"At \[1, 0\] .* gives 9.0000, and the answer is 3.0000"):
        judge("area", "f", right + 6 * (right == 3), right, "A B", mistakes)


def test_rounding_is_forgiven_and_a_thousandth_is_not() -> None:
    right = normal(0, 4, 5).double()
    judge("area", "f", right.float(), right, "A B")
    assert code_of(judge, "area", "f", right * 1.001, right, "A B") == "area.values"


def test_nothing_reaches_stderr_while_a_students_code_runs() -> None:
    # nbgrader gives no points where a test cell writes to stderr, a mere warning included
    def warns() -> int:
        print("careful", file=sys.stderr)
        return 7

    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        assert call("area", warns) == 7
    assert (out.getvalue(), err.getvalue()) == ("careful\n", "")


def test_seeds_follow_the_class_secret_and_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    public = secret_seed("scores")
    monkeypatch.setenv(VARIABLE, "")
    assert secret_seed("scores") == public  # an empty secret is none
    monkeypatch.setenv(VARIABLE, "tulip")
    mine = secret_seeds("scores", 3)
    monkeypatch.setenv(VARIABLE, "crocus")
    theirs = secret_seeds("scores", 3)
    assert len({public, *mine, *theirs}) == 7
    assert secret_seeds("scores", 2) == theirs[:2]
    assert not set(theirs) & set(secret_seeds("mask", 3))
