"""Calls into the Linux kernel that Python has no function for."""

import ctypes
import functools
import os
import platform
import sys

# both machines share the numbers of calls that are younger than 2019
NUMBERS = {
    "x86_64": {"prctl": 157, "capset": 126, "seccomp": 317},
    "aarch64": {"prctl": 167, "capset": 91, "seccomp": 277},
}
SHARED_NUMBERS = {"landlock_create_ruleset": 444, "landlock_add_rule": 445, "landlock_restrict_self": 446}


def machine() -> str:
    """The processor's family as seccomp knows it; empty where the sandbox has no table for it."""
    name = {"AMD64": "x86_64", "arm64": "aarch64"}.get(platform.machine(), platform.machine())
    wide = sys.maxsize > 2**32  # a 32-bit Python on a 64-bit kernel makes other calls
    return name if sys.platform == "linux" and wide and name in NUMBERS else ""


def number(name: str) -> int:
    """The number of a system call on this machine."""
    return SHARED_NUMBERS[name] if name in SHARED_NUMBERS else NUMBERS[machine()][name]


def call(syscall: int, *arguments: int) -> int:
    """What the kernel answers.

    Raises: OSError with the kernel's reason.
    """
    answer = _libc().syscall(ctypes.c_long(syscall), *(ctypes.c_ulong(each) for each in arguments))
    if answer < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return answer


@functools.cache
def _libc() -> ctypes.CDLL:
    library = ctypes.CDLL(None, use_errno=True)
    library.syscall.restype = ctypes.c_long
    return library


def set_option(option: int, *arguments: int) -> int:
    """The answer of `prctl`.

    Raises: OSError with the kernel's reason.
    """
    return call(number("prctl"), option, *arguments, *[0] * (4 - len(arguments)))
