"""Where things are: the course's own folder, and the programs installed beside this Python."""

import os
import shutil
import sys
from pathlib import Path

from llmcourse.commands.errors import CommandError

MARK = "_toc.yml"


def course_root(start: Path | None = None) -> Path:
    """The nearest folder, from `start` upwards, that holds the course; else the one this package was installed from.

    Raises: CommandError where there is none, as after a plain `pip install` outside a clone.
    """
    start = (start or Path.cwd()).resolve()
    installed_from = Path(__file__).resolve().parents[2]
    for folder in [start, *start.parents, installed_from]:
        if (folder / MARK).is_file() and (folder / "llmcourse").is_dir():
            return folder
    raise CommandError(f"{start} is not inside a clone of the course: no {MARK} here or above. Change into the clone.")


def program(name: str) -> str:
    """The path of a program that pip installed beside this Python, on every platform.

    Raises: CommandError saying how to install it.
    """
    found = shutil.which(name, path=str(Path(sys.executable).parent))
    if found is None:
        raise CommandError(f"{name} is not installed beside {sys.executable}. Run: pip install -r requirements.lock")
    return found


def environment(**changes: str) -> dict[str, str]:
    """This process's environment with this Python's own programs first on PATH, and with `changes`."""
    beside = str(Path(sys.executable).parent)
    path = os.pathsep.join([beside, os.environ.get("PATH", os.defpath)])
    return {**os.environ, "PATH": path, **changes}


def in_ci() -> bool:
    """Whether this runs on a continuous-integration machine, by the variable that all of them set."""
    return os.environ.get("CI", "").lower() in {"1", "true", "yes"}
