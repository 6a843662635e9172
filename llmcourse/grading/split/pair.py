"""The two warm parents of this process, started once for an exercise, and what they need of the machine."""

import atexit
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from llmcourse.grading.sandbox import (
    Report,
    SandboxUnavailable,
    Tier,
    bubblewrap_command,
    clear,
    probe,
    python_places,
    require,
    warm_environment,
)
from llmcourse.grading.split.frames import Channel, hear, say
from llmcourse.grading.split.options import Options

PATIENCE = 120.0  # seconds for a parent to import what it must, on a busy machine


@cache
def report() -> Report:
    """What this machine gives, found out once."""
    return probe()


def tier_of(options: Options) -> Tier:
    """The sandbox to use.

    Raises: SandboxUnavailable where there is none, unless the options say to do without in so many words.
    """
    if not hasattr(os, "fork"):
        raise SandboxUnavailable(
            "The split checker forks its processes, which Windows cannot: grade in WSL 2 or on Linux."
        )
    return require(report()) if options.sandbox == "auto" else Tier(options.sandbox)


class Pair:
    """A warm parent for each side."""

    def __init__(self, tier: Tier, modules: Sequence[str], withheld: Mapping[str, str]) -> None:
        self.key, self.owner = (tier, tuple(modules), tuple(sorted(withheld.items()))), os.getpid()
        self.tier, self.root = tier, Path(tempfile.mkdtemp(prefix="llmcourse-")).resolve()
        self.count = 0
        self.parents: dict[str, tuple[subprocess.Popen[bytes], socket.socket]] = {}
        for role in ("student", "checker"):
            self.parents[role] = self._start(role)
            say(self.parents[role][1], {"modules": list(modules), "withheld": dict(withheld)})
        for _, control in self.parents.values():
            if not hear(control)[0].get("ready"):
                raise RuntimeError("A warm parent of the grader did not start.")

    def _start(self, role: str) -> tuple[subprocess.Popen[bytes], socket.socket]:
        ours, theirs = socket.socketpair()
        ours.settimeout(PATIENCE)
        folder = self.root / role
        folder.mkdir()
        command = [sys.executable, "-m", "llmcourse.grading.split.parent", role, str(theirs.fileno())]
        environment = {
            **warm_environment(),
            "HOME": str(folder),
            "IPYTHONDIR": str(folder / "ipython"),
            "MPLCONFIGDIR": str(folder / "matplotlib"),
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            "OMP_NUM_THREADS": "1",
            "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",  # a fork copies a note for each page, and these are larger
            "PYTHONHASHSEED": "0",
        }
        if self.tier is Tier.ONE:
            places = python_places()
            command = bubblewrap_command(
                command, readable=places, scratch=folder, environment=environment, bubble=report().bubble
            )
        with theirs:
            process = subprocess.Popen(
                command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()]
            )
        return process, ours

    @contextmanager
    def children(self, options: Options) -> Iterator[Channel]:
        """A fresh child on each side; what comes back speaks with the checker's, and both end with the block."""
        self.count += 1
        wire = socket.socketpair()
        orders = socket.socketpair()
        folders = {role: self.root / role / str(self.count) for role in self.parents}
        try:
            with wire[0], wire[1], orders[1]:
                for role, ends in (("student", [wire[0]]), ("checker", [wire[1], orders[1]])):
                    folders[role].mkdir()
                    told = {**options.to_json(), "secret": options.secret if role == "checker" else None}
                    order = {"options": told, "tier": self.tier.value, "scratch": str(folders[role])}
                    say(self.parents[role][1], order, [end.fileno() for end in ends])
                    if not hear(self.parents[role][1])[0].get("pid"):
                        raise RuntimeError(f"The grader's warm parent for the {role} has ended.")
            with orders[0]:
                yield Channel(orders[0], 2 * options.header_bytes, options.body_bytes)
        finally:
            for role, (_, control) in self.parents.items():
                with suppress(OSError, json.JSONDecodeError):
                    say(control, {"end": True})
                    hear(control)
                clear(folders[role])

    def alive(self) -> bool:
        """Whether both parents run, and are this very process's own."""
        return self.owner == os.getpid() and all(process.poll() is None for process, _ in self.parents.values())

    def close(self) -> None:
        """End both parents, and all that they wrote."""
        if self.owner != os.getpid():
            return
        for process, control in self.parents.values():
            control.close()
            process.kill()
            process.wait()
        clear(self.root)


_latest: list[Pair] = []


def pair(tier: Tier, modules: Sequence[str], withheld: Mapping[str, str]) -> Pair:
    """This process's warm parents for such an exercise; those of another exercise make room."""
    key: Any = (tier, tuple(modules), tuple(sorted(withheld.items())))
    if _latest and (_latest[0].key != key or not _latest[0].alive()):
        _latest.pop().close()
    if not _latest:
        _latest.append(Pair(tier, modules, withheld))
    return _latest[0]


@atexit.register
def close() -> None:
    """End this process's warm parents."""
    while _latest:
        _latest.pop().close()
