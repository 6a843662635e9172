"""Bubblewrap round the grader's warm parents: namespaces of their own, in which nothing else exists."""

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from llmcourse.grading.sandbox.places import programs
from llmcourse.grading.sandbox.tiers import SandboxUnavailable

# a new procfs is refused inside many containers; torch prints a complaint, which costs points, where cpuinfo is missing
FACTS = ("/proc/cpuinfo", "/proc/meminfo")
# what a warm parent that is root needs: to make its children other users, to end them, and to clear up after them
POWERS = ("SETUID", "SETGID", "CHOWN", "KILL", "FOWNER", "DAC_OVERRIDE", "DAC_READ_SEARCH")


@dataclass(frozen=True)
class Bubble:
    """In which way bubblewrap works on this machine; the probe finds out."""

    new_proc: bool = True  # else /proc holds facts about the processor and nothing else
    new_users: bool = True  # else root stays root, and can make each child a user of its own


def bubblewrap_command(
    command: Sequence[str],
    *,
    readable: Sequence[Path],
    scratch: Path,
    environment: Mapping[str, str] | None = None,
    bubble: Bubble = Bubble(),
) -> list[str]:
    """The command line that runs `command` in namespaces of its own: no network, other processes or files, no powers.

    Inside, `readable` can be read and `scratch` written, each where it lies outside; /tmp and /dev/shm are new and
    empty. Only the variables in `environment` are set. Handles that the caller passes on are passed on.

    Raises: SandboxUnavailable without bubblewrap.
    """
    program = shutil.which("bwrap")
    if program is None:
        raise SandboxUnavailable("There is no bubblewrap (bwrap) on PATH: install your system's package `bubblewrap`.")
    line = [program, "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"]
    line += ["--unshare-cgroup-try", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    line += (
        ["--unshare-user"] if bubble.new_users else [word for each in POWERS for word in ("--cap-add", f"CAP_{each}")]
    )
    line += ["--hostname", "sandbox", "--clearenv"]
    for name, value in (environment or {}).items():
        line += ["--setenv", name, value]
    if bubble.new_proc:
        line += ["--proc", "/proc"]
    else:
        line += ["--tmpfs", "/proc", *(word for path in FACTS for word in ("--ro-bind-try", path, path))]
    line += ["--dev", "/dev", "--tmpfs", "/tmp"]
    for path in [*readable, *programs()]:
        line += _seen(path)
    return [*line, "--bind", str(scratch), str(scratch), "--chdir", str(scratch), "--", *command]


def _seen(path: Path) -> list[str]:
    """What makes a path visible: a link as a link, so that what it names is found where it really is."""
    if path.parts[1:2] == ("proc",):
        return []
    if path.is_symlink():
        return ["--symlink", str(path.readlink()), str(path)]
    return ["--ro-bind-try", str(path), str(path)]


def warm_environment() -> dict[str, str]:
    """What a program inside needs of the environment: its language, its threads, where this package is; no secret."""
    kept = ("LANG", "LC_ALL", "LC_CTYPE", "TZ", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_CORETYPE")
    found = {name: os.environ[name] for name in kept if name in os.environ}
    package = Path(__file__).parents[2]
    own = {"PATH": str(Path(sys.executable).parent), "PYTHONPATH": str(package.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    return {**own, **found}
