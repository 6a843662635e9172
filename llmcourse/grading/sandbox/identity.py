"""Who a locked process is: nobody in particular, without a single power that it does not need."""

import ctypes
import os
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

from llmcourse.grading.sandbox.kernel import call, number, set_option

KEEP_POWERS, DROP_FROM_BOUNDING_SET = 8, 24
POWERS_VERSION_3 = 0x20080522
READ_ANYTHING = 2  # CAP_DAC_READ_SEARCH: the course may lie in root's own folder; Landlock says what "anything" is


def become_nobody(scratch: Path) -> bool:
    """Where root grades, make this process a user whom nobody else is, and the scratch folder theirs; say if it did.

    The kernel does not count what root starts, so that a limit on threads holds for such a user alone. A container may
    know no such users; then the process stays who it is.
    """
    if sys.platform == "win32" or os.geteuid() != 0:
        return False
    set_option(KEEP_POWERS, 1)
    for user in _strangers():
        try:
            os.chown(scratch, user, user)
            os.setgroups([])
            os.setresgid(user, user, user)
            os.setresuid(user, user, user)
        except OSError:
            continue
        keep_powers(READ_ANYTHING)
        return True
    return False


def _strangers() -> Iterator[int]:
    """User numbers that no account has, for this process alone; the second lies in the range that containers map."""
    yield 2_000_000_000 + os.getpid()
    yield 30_000 + os.getpid() % 30_000


def keep_powers(*kept: int) -> None:
    """Give up every power of an administrator but these, for good: a container's root still has some."""
    for power in range(64):
        try:
            set_option(DROP_FROM_BOUNDING_SET, power)
        except OSError:
            break  # the last that this kernel knows, or this process has none to drop
    held = sum(1 << power for power in kept)
    header = ctypes.create_string_buffer(struct.pack("=Ii", POWERS_VERSION_3, 0))
    sets = ctypes.create_string_buffer(struct.pack("=6I", held, held, 0, 0, 0, 0))
    call(number("capset"), ctypes.addressof(header), ctypes.addressof(sets))
