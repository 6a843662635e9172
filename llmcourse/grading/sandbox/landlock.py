"""Landlock: a process gives up every file, port and peer that it does not name, for good."""

import ctypes
import os
import stat
import struct
from collections.abc import Iterable
from pathlib import Path

from llmcourse.grading.sandbox.kernel import call, number, set_option

# the rights over files, in the order of the kernel's bits, and the version of Landlock that brought each
(EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, REMOVE_DIR, REMOVE_FILE, MAKE_CHAR, MAKE_DIR, MAKE_REG) = (
    1 << bit for bit in range(9)
)
ALL_FILE_RIGHTS = {1: (1 << 13) - 1, 2: 1 << 13, 3: 1 << 14, 5: 1 << 15}  # refer, truncate, ioctl on devices
REFER, TRUNCATE = 1 << 13, 1 << 14
READ = READ_FILE | READ_DIR
# plain files and folders, which may move about among themselves; no symbolic links, pipes, sockets or devices
WRITE = WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | REFER | TRUNCATE
ON_A_FILE = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | 1 << 15  # what can be granted on anything but a folder
TCP = 0b11  # bind and connect, from version 4 on; no port is ever granted
PEERS = 0b11  # abstract sockets and signals, from version 6 on
SET_NO_NEW_PRIVS = 38
VERSION_ONLY, PATH_BENEATH = 1, 1


def version() -> int:
    """Which version of Landlock the kernel offers; 0 for none."""
    try:
        return call(number("landlock_create_ruleset"), 0, 0, VERSION_ONLY)
    except OSError:
        return 0


def restrict(readable: Iterable[Path], writable: Iterable[Path]) -> None:
    """From here on this process, and all it starts, reads and writes under these paths only, and reaches no peer.

    Paths that do not exist are passed over. Each further right is handled where the kernel knows it.

    Raises: OSError where the kernel has no Landlock or refuses.
    """
    known = version()
    handled = 0
    for since, rights in ALL_FILE_RIGHTS.items():
        handled |= rights if known >= since else 0
    ruleset_fields = [handled, *([TCP] if known >= 4 else []), *([PEERS] if known >= 6 else [])]
    attributes = ctypes.create_string_buffer(struct.pack(f"={len(ruleset_fields)}Q", *ruleset_fields))
    ruleset = call(number("landlock_create_ruleset"), ctypes.addressof(attributes), 8 * len(ruleset_fields), 0)
    try:
        for path in readable:
            _allow(ruleset, path, READ & handled)
        for path in writable:
            _allow(ruleset, path, (READ | WRITE) & handled)
        set_option(SET_NO_NEW_PRIVS, 1)
        call(number("landlock_restrict_self"), ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: Path, rights: int) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return
    try:
        if not stat.S_ISDIR(os.fstat(handle).st_mode):
            rights &= ON_A_FILE
        rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, handle))
        call(number("landlock_add_rule"), ruleset, PATH_BENEATH, ctypes.addressof(rule), 0)
    finally:
        os.close(handle)
