"""Frames, forged and broken messages, and sides that are dead, slow or lying."""

import json
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse.grading.split.frames import MAGIC, PREFIX, Channel, PeerFailed
from llmcourse.grading.split.sides import Checker
from tests.grading.split.both import BODY, HEADER, both
from tests.grading.split.wire_fuzz import one_case

CALM = {"dead": [], "changes": [], "printed": "", "lent": []}


def ends() -> tuple[Channel, socket.socket]:
    near, far = socket.socketpair()
    return Channel(near, HEADER, BODY), far


def frame(header: Any, body: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return PREFIX.pack(MAGIC, len(text), len(body)) + text + body


def liar(*answers: dict[str, Any] | bytes) -> Callable[..., Any]:
    """A function that asks a far side for something; the far side gives these answers and hangs up."""

    def ask(*args: Any) -> Any:
        channel, far = ends()
        with channel.socket, far:
            for answer in answers:
                far.sendall(answer if isinstance(answer, bytes) else frame({**CALM, "sizes": [], **answer}))
            far.shutdown(socket.SHUT_WR)
            checker = Checker(channel, 5)
            checker.deadline = time.monotonic() + 5
            return checker.request("call", None, *args)

    return ask


@settings(max_examples=100, deadline=None, database=None)
@given(st.dictionaries(st.text("abc"), st.integers()), st.lists(st.binary(max_size=50), max_size=5))
def test_a_message_arrives_as_it_was_sent(header: dict[str, Any], buffers: list[bytes]) -> None:
    channel, far = ends()
    with channel.socket, far:
        channel.send(header, buffers, None)
        assert Channel(far, HEADER, BODY).receive(None) == (header, buffers)


@settings(max_examples=200, deadline=None, database=None)
@given(st.binary(max_size=200))
def test_bytes_that_are_no_message_are_refused(data: bytes) -> None:
    with pytest.raises(PeerFailed):
        liar(data)()


@pytest.mark.parametrize("first", [0, 250, 500, 750])
def test_a_checker_survives_random_messages(first: int) -> None:
    outcomes = [one_case(seed) for seed in range(first, first + 250)]
    assert len(set(outcomes)) > 2  # not all are turned away at the door


def test_a_message_that_is_too_large_is_refused_on_both_ends() -> None:
    channel, far = ends()
    with channel.socket, far:
        with pytest.raises(ValueError, match="do not fit"):
            channel.send({}, [bytes(BODY + 1)], None)
        with pytest.raises(ValueError, match="do not fit"):
            channel.send({"a": "x" * HEADER}, [], None)
        far.sendall(PREFIX.pack(MAGIC, 10, BODY + 1))
        with pytest.raises(PeerFailed, match="too large"):
            channel.receive(None)
        with pytest.raises(PeerFailed, match="too large"):
            channel.receive(None)


def test_a_tensor_that_is_too_large_fails_alone() -> None:
    with both(big=lambda: torch.zeros(BODY), small=lambda: 1) as sides:
        with pytest.raises(ValueError, match="do not fit"):
            sides["big"]()
        assert sides["small"]() == 1


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"ok": ["l", [["l", []]] * 3 + [{"k": "tensor"}]]}, "makes no sense"),
        ({"ok": {"k": "yours", "n": 7}}, "never given"),
        ({"ok": {"k": "mine", "n": 7}}, "not there"),
        ({"ok": {"k": "tensor", "dtype": "float32", "shape": [3], "at": 0}, "sizes": [0]}, "do not fit its shape"),
        ({"ok": {"k": "tensor", "dtype": "float32", "shape": [-1], "at": 0}, "sizes": [0]}, "shape"),
        ({"ok": {"k": "data", "n": None, "type": "os:system", "fields": {}}}, "no class that crosses"),
        ({"ok": {"k": "data", "n": None, "type": "llmcourse.grading.split.options:Options", "fields": {}}}, "no class"),
        ({"ok": 1, "lent": [[5, 1]]}, "makes no sense"),
        ({"ok": 1, "changes": [[True, 1, [None, False, None, True]]]}, "not kept equal"),
        ({"ok": 1, "dead": [3]}, "never given"),
        ({"raise": {"type": "SystemExit"}}, "makes no sense"),
        ({"raise": {"yours": 0}}, "makes no sense"),
        ({"ok": {"k": "ref", "n": 1, "type": "A", "can": [["call"]], "name": None}}, "makes no sense"),
        ({"sizes": [4]}, "do not add up"),
        (frame([1, 2]), "no message"),
        (frame(json.loads("[" * 400 + "]" * 400)), "no message"),
        (b"GET / HTTP/1.1\r\n\r\n", "no message"),
        (PREFIX.pack(MAGIC, 2**31, 0), "too large"),
    ],
)
def test_a_forged_answer_breaks_the_channel_and_says_why(answer: Any, why: str) -> None:
    with pytest.raises(PeerFailed, match=why):
        liar(answer)()


def test_json_nested_without_end_is_no_message() -> None:
    text = b'{"sizes":[],"ok":' + b"[" * 40_000 + b"]" * 40_000 + b"}"
    with pytest.raises(PeerFailed, match="no message"):
        liar(PREFIX.pack(MAGIC, len(text), 0) + text)()


def test_an_error_of_an_unknown_type_is_a_plain_error() -> None:
    told = {"type": "KeyboardInterrupt", "text": "stop", "mine": 0}
    with pytest.raises(RuntimeError, match="KeyboardInterrupt: stop"):
        liar({"raise": told})()


def test_bytes_that_are_neither_true_nor_false_become_true() -> None:
    forged = frame({**CALM, "sizes": [2], "ok": {"k": "tensor", "dtype": "bool", "shape": [2], "at": 0}}, b"\x02\x00")
    assert liar(forged)().view(torch.uint8).tolist() == [1, 0]


def test_a_dead_side_fails_at_once_and_for_good() -> None:
    channel, far = ends()
    far.close()
    checker = Checker(channel, 5)
    for _ in range(2):
        with pytest.raises(PeerFailed, match="has ended"):
            checker.request("names", None, [])


def test_a_slow_side_fails_at_its_deadline() -> None:
    channel, far = ends()
    with channel.socket, far:
        checker = Checker(channel, 0.1)
        checker.deadline = time.monotonic() - 1.8  # two seconds of grace
        start = time.monotonic()
        with pytest.raises(PeerFailed, match="in time"):
            checker._receive()
        assert time.monotonic() - start < 1.5


def test_a_side_that_never_listens_does_not_hold_the_checker() -> None:
    channel, far = ends()
    with channel.socket, far, pytest.raises(PeerFailed, match="did not listen"):
        channel.send({}, [bytes(BODY // 2)], time.monotonic() + 0.1)


def test_drops_of_a_message_do_not_stretch_the_deadline() -> None:
    channel, far = ends()
    stop = threading.Event()

    def drip() -> None:
        for byte in frame({"a": "x" * 1000}):
            if stop.wait(0.02):
                return
            far.sendall(bytes([byte]))

    with channel.socket, far:
        thread = threading.Thread(target=drip)
        thread.start()
        start = time.monotonic()
        with pytest.raises(PeerFailed, match="in time"):
            channel.receive(start + 0.3)
        assert time.monotonic() - start < 2
        stop.set()
        thread.join()


def test_gradients_that_do_not_fit_break_the_channel() -> None:
    x = torch.ones(2, requires_grad=True)
    channel, far = ends()
    number = {"k": "tensor", "dtype": "float32", "shape": [], "at": 0}
    with channel.socket, far:
        checker = Checker(channel, 5)
        leaf = {"k": "yours", "n": 1}
        answer = {"ok": {"k": "out", "i": 0}, "graph": 1, "outputs": [number], "leaves": [leaf], "sizes": [4]}
        far.sendall(frame({**CALM, **answer}, bytes(4)))
        loss = checker.request("call", None, x)
        far.sendall(frame({**CALM, "ok": ["l", [number]], "sizes": [4]}, bytes(4)))
        with pytest.raises(PeerFailed, match="another shape"):
            loss.backward()
