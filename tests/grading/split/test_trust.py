"""Errors that cross, and what a student's side may do with what the checker hands out."""

import time
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from llmcourse.checks.core import CheckFailed
from llmcourse.grading.split.frames import PeerFailed
from tests.grading.split.both import both


def error_of(kind: type[BaseException], *args: Any) -> Callable[[], None]:
    def fail() -> None:
        raise kind(*args)

    return fail


class Own(Exception):
    """A student's own kind of error."""


@pytest.mark.parametrize(
    ("kind", "args", "as_kind", "says"),
    [
        (ValueError, ("bad",), ValueError, "bad"),
        (NotImplementedError, (), NotImplementedError, "^$"),
        (ZeroDivisionError, ("zero",), ZeroDivisionError, "zero"),
        (Own, ("mine",), RuntimeError, "Own: mine"),
        (KeyError, ("key",), KeyError, "^'key'$"),
        (SystemExit, (3,), RuntimeError, "SystemExit: 3"),
        (CheckFailed, ("a.b", "learn"), CheckFailed, "learn"),
        (StopIteration, (), RuntimeError, "StopIteration"),
        (ExceptionGroup, ("many", [ValueError()]), RuntimeError, "ExceptionGroup: many"),
    ],
)
def test_errors_cross_by_name_and_text(kind: Any, args: Any, as_kind: Any, says: str) -> None:
    with both(fail=error_of(kind, *args)) as sides, pytest.raises(as_kind, match=says):
        sides["fail"]()


def test_our_own_error_comes_back_as_itself() -> None:
    ours = CheckFailed("a.b", "learn")

    def fail() -> None:
        raise ours

    with both(run=lambda function: function()) as sides, pytest.raises(CheckFailed) as caught:
        sides["run"](fail)
    assert caught.value is ours


class Secretive:
    """Something of the checker's with more in it than a student should see."""

    def __init__(self) -> None:
        self.answer, self._inner, self.helper = 42, 1, Own()

    def ask(self) -> int:
        return self.answer


CLOSED = {
    "the object behind a method": lambda x: x.ask.__self__,
    "a function's names": lambda x: x.ask.__globals__,
    "all that it holds": lambda x: x.__dict__,
    "a private attribute": lambda x: x._inner,
    "an object inside": lambda x: x.helper,
    "an attribute set": lambda x: setattr(x, "answer", 1),
}


@pytest.mark.parametrize("what", CLOSED)
def test_what_the_checker_hands_out_leads_no_further(what: str) -> None:
    thing = Secretive()
    with both(look=lambda x: (CLOSED[what](x), None)[1]) as sides, pytest.raises((AttributeError, PermissionError)):
        sides["look"](thing)
    assert thing.answer == 42


@pytest.mark.parametrize(
    "request_", [("get", "__globals__"), ("get", "__self__"), ("get", "__code__"), ("set", "a", 1)]
)
def test_a_forged_request_for_the_inside_of_a_function_is_refused(request_: Any) -> None:
    def forge(function: Any) -> Any:
        return function._link[0].request(request_[0], function, *request_[1:])

    with both(forge=forge) as sides, pytest.raises((AttributeError, PermissionError)):
        sides["forge"](lambda: 1)


@pytest.mark.parametrize("name", ["own", "leaves", "outputs", "gradients"])
def test_a_graph_shows_nothing_of_the_weights_in_it(name: str) -> None:
    weight = torch.ones(2, requires_grad=True)

    def forge(function: Any) -> Any:
        graph = function(torch.ones(2, requires_grad=True)).grad_fn.graph
        return graph._link[0].request("get", graph, name)

    with both(forge=forge) as sides, pytest.raises(AttributeError, match="can be seen from here"):
        sides["forge"](lambda x: x * weight)


def test_a_student_that_talks_without_end_is_late() -> None:
    def chatter(function: Any) -> None:
        while True:
            function()

    with both(chatter=chatter) as sides:
        function = sides["chatter"]
        sides.checker.deadline = time.monotonic() + 0.1
        with pytest.raises(PeerFailed, match="in time"):
            function(lambda: 1)
        assert sides.checker.channel.broken


def test_only_what_was_handed_out_can_be_called() -> None:
    def forge(function: Any) -> Any:
        return function._link[0].request("call", list, range(3))

    with both(forge=forge) as sides, pytest.raises(PermissionError, match="handed out"):
        sides["forge"](print)


def test_our_errors_do_not_quote_the_tests_that_they_come_from() -> None:
    told = []

    def look(function: Any) -> None:
        try:
            function()
        except ValueError as error:
            told.append((str(error), error.__dict__, error.__traceback__))

    with both(look=look) as sides:
        names: dict[str, Any] = {}
        exec(compile("def ours():\n    raise ValueError('text')  # hidden", "<ipython-input-1>", "exec"), names)
        sides["look"](names["ours"])
        assert sides.checker.account(ValueError("x")).keys() == {"type", "text", "mine"}
    assert told[0][0] == "text"
    assert "hidden" not in str(told[0][1])


def test_a_module_shows_its_data_and_keeps_its_methods() -> None:
    def forge(module: Any, name: str) -> Any:
        return module._link[0].request("get", module, name)

    class Ours(nn.Linear):
        def special(self) -> int:
            return 5

    with both(forge=forge, use=lambda m: m.special()) as sides:
        ours = Ours(1, 1)
        assert sides["use"](ours) == 5
        assert sides["forge"](ours, "in_features") == 1
        for name in ("register_forward_hook", "load_state_dict", "__init__", "_parameters", "__class__"):
            with pytest.raises(AttributeError):
                sides["forge"](ours, name)


def test_what_is_printed_over_there_is_printed_here(capsys: pytest.CaptureFixture[str]) -> None:
    def speak() -> None:
        sides.far.printed.stream("stdout", "hello\n")
        sides.far.printed.stream("stderr", "watch out\n")

    with both(speak=speak) as sides:
        sides["speak"]()
    printed = capsys.readouterr()
    assert printed.out == "hello\nwatch out\n"
    assert printed.err == ""
