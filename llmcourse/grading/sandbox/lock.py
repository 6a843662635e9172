"""The lock on a child process: what it calls right before a student's code runs, and cannot undo."""

import os
import sys
import tempfile
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path

from llmcourse.grading.sandbox import landlock, seccomp
from llmcourse.grading.sandbox.identity import become_nobody, keep_powers
from llmcourse.grading.sandbox.kernel import machine, set_option
from llmcourse.grading.sandbox.places import DEVICES, OWN_FACTS
from llmcourse.grading.sandbox.tiers import Limits, Tier

if sys.platform != "win32":
    import resource
    import signal

SET_DEATH_SIGNAL, SET_DUMPABLE = 1, 4


def lock_down(
    tier: Tier,
    *,
    scratch: Path,
    readable: Sequence[Path],
    limits: Limits,
    keep_fds: Collection[int],
) -> None:
    """Shut this process in: it may read under `readable`, write under `scratch` and use `keep_fds`, and no more.

    Call it in a freshly forked child that has one thread, as the last thing before code that nobody trusts. The child
    dies with the thread that forked it, so fork from a thread that lives as long. Standard streams that are not kept
    lead nowhere.

    Raises: OSError where the kernel refuses a part; the child must then end, and run nothing.
    """
    scratch = scratch.resolve()
    os.chdir(scratch)
    os.umask(0o077)
    _make_itself_at_home(scratch)
    _close_all_but(keep_fds)
    if tier is Tier.NONE or sys.platform == "win32":
        set_limits(limits)
        return
    alone = become_nobody(scratch)
    set_limits(limits, threads_already=0 if alone or tier is Tier.ONE else _threads_of_this_user())
    with suppress(PermissionError):  # it leads one already
        os.setsid()  # no terminal, and signals to the grader's group pass by
    landlock.restrict([*readable, *DEVICES, *OWN_FACTS], [scratch, Path(os.devnull)])
    if not alone:
        keep_powers()
    # a change of user or powers takes both of these back, so they come after it
    set_option(SET_DEATH_SIGNAL, signal.SIGKILL)
    set_option(SET_DUMPABLE, 0)
    seccomp.install()


def rehearse_lock() -> None:
    """Work out beforehand, in a warm parent, what its children's locks have in common."""
    if machine():
        seccomp.assemble(machine(), os.getpid())
        landlock.version()


def _make_itself_at_home(scratch: Path) -> None:
    """Libraries keep their temporary files, settings and caches in the scratch folder."""
    for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "MPLCONFIGDIR", "TORCHINDUCTOR_CACHE_DIR"):
        os.environ[name] = str(scratch)
    tempfile.tempdir = str(scratch)


def _close_all_but(keep: Collection[int]) -> None:
    """Close every handle that is not kept, and lead the standard streams nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in {0, 1, 2} - set(keep):
        os.dup2(nowhere, standard)
    borders = sorted({0, 1, 2, *keep})
    for low, high in zip(borders, [*borders[1:], 1 << 20], strict=True):
        os.closerange(low + 1, high)


def set_limits(limits: Limits, threads_already: int | None = None) -> None:
    """Cap what this process may use up; a limit that stands already is only ever lowered.

    The kernel counts a user's threads together, so those that run already come on top; None leaves threads uncapped.
    """
    if sys.platform == "win32":
        return
    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: limits.cpu_seconds,
        resource.RLIMIT_FSIZE: limits.file_size,
        resource.RLIMIT_NOFILE: limits.open_files,
    }
    if sys.platform == "linux":
        wanted[resource.RLIMIT_AS] = _address_space() + limits.memory
        if threads_already is not None:
            wanted[resource.RLIMIT_NPROC] = limits.processes + threads_already
    for kind, value in wanted.items():
        _, hard = resource.getrlimit(kind)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))


def _address_space() -> int:
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[0]
    except OSError:
        return 16 * 1024**3  # no /proc: more than any warm parent maps
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _threads_of_this_user() -> int:
    """How many threads run under this user already."""
    count, user = 0, os.getuid()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if folder.stat().st_uid == user:
                count += len([*(folder / "task").iterdir()])
        except OSError:
            continue  # it has just ended
    return count
