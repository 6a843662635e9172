"""The filter lets through what the table lists and nothing else: a little machine of the tests' own runs it."""

import errno
import re
import struct
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.grading.sandbox import syscalls
from llmcourse.grading.sandbox.seccomp import ARCHITECTURES, assemble, runs

OWN_PID = 4321
ALLOW, KILL = "allow", "kill"
MACHINES = ("x86_64", "aarch64")


@cache
def program(machine: str) -> list[tuple[int, int, int, int]]:
    """The filter as the kernel reads it: code, the two jumps, and the value."""
    return [struct.unpack("=HBBI", step.packed()) for step in assemble(machine, OWN_PID)]


def judge(machine: str, number: int, *arguments: int, architecture: int | None = None) -> str | int:
    """What the filter answers: `allow`, `kill` or an error's number. Source: Linux's socket filter, as documented."""
    architecture = ARCHITECTURES[machine] if architecture is None else architecture
    record = struct.pack("<IIQ6Q", number, architecture, 0, *arguments, *[0] * (6 - len(arguments)))
    steps = program(machine)
    accumulator = at = 0
    while True:
        code, if_true, if_false, value = steps[at]
        at += 1
        if code == 0x20:
            (accumulator,) = struct.unpack_from("<I", record, value)
        elif code == 0x54:
            accumulator &= value
        elif code == 0x06:
            return {0x7FFF0000: ALLOW, 0x80000000: KILL}.get(value) or value & 0xFFFF
        else:
            holds = {0x15: accumulator == value, 0x35: accumulator >= value, 0x25: accumulator > value}[code]
            at += if_true if holds else if_false


@pytest.mark.parametrize("machine", MACHINES)
def test_every_call_is_allowed_refused_or_judged_as_the_table_says(machine: str) -> None:
    judged = {call.number(machine) for call in syscalls.judged(OWN_PID)}
    plain = syscalls.plain(machine)
    assert not plain & judged
    for number in set(range(600)) - judged - {syscalls.CLONE3}:
        assert judge(machine, number, 7, 7, 7, 7, 7, 7) == (ALLOW if number in plain else errno.EPERM), number
    assert judge(machine, syscalls.CLONE3) == errno.ENOSYS


@pytest.mark.parametrize("machine", MACHINES)
def test_calls_of_another_machine_end_the_process(machine: str) -> None:
    other = ARCHITECTURES["aarch64" if machine == "x86_64" else "x86_64"]
    assert judge(machine, 1, architecture=other) == KILL
    assert judge(machine, 0x40000000 + 1) == KILL  # x32, whose numbers mean other calls


@given(
    machine=st.sampled_from(MACHINES),
    call=st.sampled_from(range(len(syscalls.judged(OWN_PID)))),
    arguments=st.lists(st.integers(0, 40) | st.integers(0, 2**64 - 1) | st.just(OWN_PID), min_size=6, max_size=6),
)
def test_a_judged_call_is_allowed_where_an_alternative_holds(machine: str, call: int, arguments: list[int]) -> None:
    rule = syscalls.judged(OWN_PID)[call]
    holds = any(
        all(arguments[each.index] & 0xFFFFFFFF & each.mask == each.value for each in alternative)
        for alternative in rule.alternatives
    )
    assert judge(machine, rule.number(machine), *arguments) == (ALLOW if holds else errno.EPERM)


@pytest.mark.parametrize("machine", MACHINES)
def test_threads_start_and_processes_do_not(machine: str) -> None:
    clone = {"x86_64": 56, "aarch64": 220}[machine]
    assert judge(machine, clone, 0x3D0F00) == ALLOW
    for flags in (17, 0, 0x3D0F00 & ~0x10000, 0x3D0F00 | 0x10000000, 0x3D0F00 | 0x20000, 0x4011):
        assert judge(machine, clone, flags) == errno.EPERM, hex(flags)


@pytest.mark.parametrize("machine", MACHINES)
def test_signals_reach_the_process_itself_and_nobody_else(machine: str) -> None:
    kill = {"x86_64": 62, "aarch64": 129}[machine]
    assert judge(machine, kill, OWN_PID, 9) == ALLOW
    for whom in (0, 1, OWN_PID - 1, 2**32 - 1, 2**64 - 1, 2**64 - OWN_PID):
        assert judge(machine, kill, whom, 9) == errno.EPERM, whom


@pytest.mark.parametrize(("machine", "header"), [("x86_64", "x86_64-linux-gnu/asm/unistd_64.h")])
def test_the_numbers_are_the_kernels(machine: str, header: str) -> None:
    names = [
        entry.split() for line in syscalls.PLAIN.splitlines() if not line.startswith("#") for entry in line.split(",")
    ]
    table = {entry[0]: entry[1] for entry in names if entry}
    path = Path("/usr/include") / header
    if not path.is_file():  # no compiler's headers here: at least, no number may stand twice
        found = [each for each in table.values() if each != "-"]
        assert len(found) == len(set(found))
        return
    kernels = dict(re.findall(r"#define __NR_(\w+) (\d+)", path.read_text(encoding="utf-8")))
    for name, number in table.items():
        assert kernels.get(name, number) == number, name


@given(st.sets(st.integers(0, 300)))
def test_runs_cover_the_numbers_and_no_others(numbers: set[int]) -> None:
    covered = [each for first, last in runs(numbers) for each in range(first, last + 1)]
    assert covered == sorted(numbers)
