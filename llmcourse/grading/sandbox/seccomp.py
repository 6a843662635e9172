"""A seccomp filter: the kernel refuses every system call that is not on the list."""

import ctypes
import errno
import functools
import os
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from llmcourse.grading.sandbox.kernel import call, machine, number, set_option
from llmcourse.grading.sandbox.syscalls import CLONE3, Argument, Call, judged, plain

SET_NO_NEW_PRIVS = 38
SET_MODE_FILTER = 1
ALLOW, KILL, FAIL = 0x7FFF0000, 0x80000000, 0x00050000
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
X32 = 0x40000000  # numbers of x86_64's second set of calls begin here
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16  # where each stands in the kernel's record of a call
LOAD, AND, EQUAL, AT_LEAST, ABOVE, RETURN = 0x20, 0x54, 0x15, 0x35, 0x25, 0x06


@dataclass(frozen=True)
class Step:
    """One instruction of the filter's little machine; the jumps say how many steps to leave out."""

    code: int
    value: int
    if_true: int = 0
    if_false: int = 0

    def packed(self) -> bytes:
        """As the kernel reads it."""
        return struct.pack("=HBBI", self.code, self.if_true, self.if_false, self.value)


def assemble(machine: str, own_pid: int) -> list[Step]:
    """The filter for a process of that number on that machine."""
    steps = [*_always(machine)]
    for each in judged(own_pid):
        steps += _judge(each, each.number(machine))
    return [*steps, Step(RETURN, FAIL | errno.EPERM)]


@functools.cache
def _always(machine: str) -> tuple[Step, ...]:
    """What is the same for all processes: no other machine's calls, and those that are always allowed."""
    steps = [
        Step(LOAD, ARCHITECTURE),
        Step(EQUAL, ARCHITECTURES[machine], if_true=1),
        Step(RETURN, KILL),
        Step(LOAD, NUMBER),
        Step(AT_LEAST, X32, if_false=1),
        Step(RETURN, KILL),
        Step(EQUAL, CLONE3, if_false=1),
        Step(RETURN, FAIL | errno.ENOSYS),
    ]
    for first, last in runs(plain(machine)):
        steps += [Step(AT_LEAST, first, if_false=2), Step(ABOVE, last, if_true=1), Step(RETURN, ALLOW)]
    return tuple(steps)


def runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """First and last of each row of neighbours among the numbers."""
    rows: list[tuple[int, int]] = []
    for each in sorted(numbers):
        if rows and rows[-1][1] == each - 1:
            rows[-1] = (rows[-1][0], each)
        else:
            rows.append((each, each))
    return rows


def _judge(rule: Call, number: int) -> list[Step]:
    body: list[Step] = []
    for alternative in rule.alternatives:
        body += _all_hold(alternative)
    body.append(Step(RETURN, FAIL | errno.EPERM))
    return [Step(EQUAL, number, if_false=len(body)), *body]


def _all_hold(arguments: tuple[Argument, ...]) -> list[Step]:
    steps = [Step(RETURN, ALLOW)]
    for each in reversed(arguments):
        steps = [
            Step(LOAD, ARGUMENTS + 8 * each.index),  # both machines keep the low half first
            Step(AND, each.mask),
            Step(EQUAL, each.value, if_false=len(steps)),
            *steps,
        ]
    return steps


def install() -> None:
    """From here on this thread, and all it starts, makes only the calls on the list.

    Raises: OSError where the kernel has no seccomp or refuses.
    """
    steps = assemble(machine(), os.getpid())
    program = ctypes.create_string_buffer(b"".join(step.packed() for step in steps))
    header = ctypes.create_string_buffer(struct.pack("@HP", len(steps), ctypes.addressof(program)))
    set_option(SET_NO_NEW_PRIVS, 1)
    call(number("seccomp"), SET_MODE_FILTER, 0, ctypes.addressof(header))
