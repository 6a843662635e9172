"""A warm parent: it has imported what an exercise needs, and forks a fresh child for each submission.

python -m llmcourse.grading.split.parent student|checker NUMBER-OF-ITS-SOCKET
"""

import contextlib
import ctypes
import gc
import importlib
import os
import random
import select
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import torch

from llmcourse.grading.sandbox import Limits, Tier, lock_down, python_places, used_bytes
from llmcourse.grading.split.checking import check_cells
from llmcourse.grading.split.frames import Channel, PeerFailed, hear, say
from llmcourse.grading.split.options import Options
from llmcourse.grading.split.rehearsal import rehearse
from llmcourse.grading.split.shell import Shell
from llmcourse.grading.split.sides import Checker, Student
from llmcourse.grading.split.withheld import withhold

BECOME_SUBREAPER = 36
WATCH_SECONDS = 0.1  # between looks at what a child has written


def main(role: str, number: int) -> None:
    """Serve until the executor hangs up."""
    control = socket.socket(fileno=number)
    control.set_inheritable(False)
    torch.set_num_threads(1)
    about = hear(control)[0]
    if sys.platform == "linux":  # whatever a child leaves behind becomes ours, to be ended
        ctypes.CDLL(None).prctl(BECOME_SUBREAPER, 1, 0, 0, 0)
    for name in about["modules"]:
        with contextlib.suppress(Exception):  # the cell that needs it shows the error
            module, _, part = name.partition(":")
            if not hasattr(importlib.import_module(module), part or "__name__"):
                importlib.import_module(f"{module}.{part}")
    if role == "student":
        withhold(about["withheld"])
    shell, readable = Shell.instance(), python_places()
    rehearse(shell)
    gc.collect()
    gc.freeze()  # children share these pages as long as nobody touches them
    say(control, {"ready": True})
    while True:
        order, ends = hear(control)
        if not order:
            return
        child = os.fork()
        if child == 0:
            os._exit(run_child(role, control, shell, order, ends, readable))
        for end in ends:
            os.close(end)
        say(control, {"pid": child})
        watch(control, child, Path(order["scratch"]))
        hear(control)  # the submission is done, or the executor is gone
        end_all(child)
        say(control, {"ended": True})


def run_child(
    role: str, control: socket.socket, shell: Shell, order: dict[str, Any], ends: list[int], readable: list[Path]
) -> int:
    """One submission, from behind the lock; what comes back is the exit status."""
    try:
        control.close()
        options = Options.from_json(order["options"])
        random.seed(0)
        torch.manual_seed(0)
        os.environ["NBGRADER_EXECUTION"] = "autograde"
        if role == "checker" and options.secret is not None:
            os.environ["LLMCOURSE_CLASS_SECRET"] = options.secret
        limits = Limits(memory=options.memory_bytes, cpu_seconds=int(options.seconds_in_all) + 1)
        tier, scratch = Tier(order["tier"]), Path(order["scratch"])
        lock_down(tier, scratch=scratch, readable=readable, limits=limits, keep_fds=ends)
        shell.take_streams()
        wire = Channel(socket.socket(fileno=ends[0]), options.header_bytes, options.body_bytes)
        if role == "student":
            Student(wire, shell, options.printed_characters).work()
        else:
            orders = Channel(socket.socket(fileno=ends[1]), options.header_bytes, options.body_bytes)
            check_cells(Checker(wire, options.seconds_per_cell, options.secret or ""), orders, shell, options)
    except PeerFailed:
        return 0
    except BaseException as error:
        os.write(2, f"{role}: {type(error).__name__}: {error}\n".encode())
        return 1
    return 0


def watch(control: socket.socket, child: int, scratch: Path) -> None:
    """Wait for the executor's word, and end a child that fills the disk, which no limit of the kernel's does."""
    most = Limits().scratch
    while not select.select([control], [], [], WATCH_SECONDS)[0]:
        if used_bytes(scratch, most) > most:
            os.kill(child, signal.SIGKILL)
            return


def end_all(child: int) -> None:
    """End the child, and all that it may have left behind."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return
        for each in orphans():
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)


def orphans() -> list[int]:
    """Processes that are now our own children."""
    try:
        return [int(each) for each in Path(f"/proc/self/task/{os.getpid()}/children").read_text("ascii").split()]
    except OSError:
        return []


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
