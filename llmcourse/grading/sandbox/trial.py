"""A process that locks itself in and then tries to get out; the probe runs it as a module."""

import json
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from llmcourse.grading.sandbox.lock import lock_down
from llmcourse.grading.sandbox.places import python_places
from llmcourse.grading.sandbox.tiers import Limits, Tier


def attempt(tier: Tier, scratch: Path, outside: Path) -> str:
    """Empty where this process, locked in, could do its work and nothing else; else what went wrong."""
    places = python_places()
    lock_down(tier, scratch=scratch, readable=places, limits=Limits(), keep_fds={1, 2})
    try:
        (scratch / "note.txt").write_text("mine", encoding="utf-8")
        Path(json.__file__).read_bytes()
    except OSError as error:
        return f"needed work failed: {error}"
    forbidden: dict[str, Callable[[], object]] = {
        "reading a file outside": lambda: outside.read_text(encoding="utf-8"),
        "writing outside": lambda: outside.write_text("seen", encoding="utf-8"),
        "opening a socket": lambda: socket.socket().close(),
        "starting a process": lambda: os._exit(3) if os.fork() == 0 else None,
    }
    for name, act in forbidden.items():
        try:
            act()
        except OSError:
            continue
        return f"{name} was not stopped"
    return ""


if __name__ == "__main__":
    try:
        verdict = attempt(Tier(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
    except OSError as error:
        verdict = f"the kernel refused: {error}"
    sys.stdout.write(json.dumps({"verdict": verdict}))
