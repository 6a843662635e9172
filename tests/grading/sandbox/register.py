"""Lists of what a locked child tries, and of what it must still be able to do."""

import ctypes
import os
from collections.abc import Callable
from types import SimpleNamespace

Facts = SimpleNamespace  # paths, process numbers and addresses outside
Act = Callable[[Facts], object]
FORBIDDEN: dict[str, Act] = {}
NEEDED: dict[str, Act] = {}


def forbidden(act: Act) -> Act:
    """Register what has to raise."""
    FORBIDDEN[act.__name__] = act
    return act


def needed(act: Act) -> Act:
    """Register what has to return something true."""
    NEEDED[act.__name__] = act
    return act


def syscall(number: int, *arguments: object) -> int:
    """What the kernel answers to a bare call, past every library."""
    libc = ctypes.CDLL(None, use_errno=True)
    answer = libc.syscall(number, *arguments)
    if answer < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return answer


def numbers(**by_machine: int) -> int:
    """The number of a call on this machine."""
    return by_machine[os.uname().machine]
