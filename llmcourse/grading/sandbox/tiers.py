"""What a sandbox promises: its tier, what a locked process may use up, and the error where there is none."""

from dataclasses import dataclass
from enum import Enum

MIB = 1024**2


class Tier(Enum):
    """How strongly this machine can lock a student's process in."""

    ONE = "one"  # bubblewrap's namespaces round Landlock, seccomp and resource limits
    TWO = "two"  # Landlock, seccomp and resource limits alone
    NONE = "none"  # resource limits where there are any; only for whoever asked for it in so many words


class SandboxUnavailable(ValueError):
    """This machine cannot lock a student's code in; the line says why and which way is out."""


@dataclass(frozen=True)
class Limits:
    """What one locked process may use up."""

    memory: int = 3072 * MIB  # bytes of address space, on top of what its parent had
    cpu_seconds: int = 120
    processes: int = 64  # threads, on top of those that run already; there are no child processes
    open_files: int = 128
    file_size: int = 64 * MIB  # bytes of one file
    scratch: int = 256 * MIB  # bytes of all files together, which the parent has to watch: the kernel does not
