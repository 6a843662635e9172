"""Make requirements.lock: one exact version of everything, for every platform, from pyproject.toml."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from llmcourse.commands.errors import CommandError

TORCH = "torch==2.13.0"
PYTHON = "3.11"
# torch asks for these by itself where its wheel needs them; listed, they would bring gigabytes to every machine
DROPPED = ("nvidia-", "cuda-", "triton")
HEADER = """\
# Exact versions for CI, on every platform (hence the markers); made by `llmcourse lock` from pyproject.toml.
# Install with pip. torch's own CUDA packages are not listed: they follow from torch where its wheel asks for them.
"""


def write_lock(root: Path) -> Path:
    """The path of the lock, written anew; versions in the present lock stay where they still fit.

    Raises: CommandError where uv is not installed or finds no solution.
    """
    uv = shutil.which("uv")
    if uv is None:
        raise CommandError("Making the lock needs uv. Install it with: pip install uv")
    lock = root / "requirements.lock"
    with tempfile.TemporaryDirectory() as folder:
        pin, solved = Path(folder, "pin.txt"), Path(folder, "solved.txt")
        pin.write_text(f"{TORCH}\n", encoding="utf-8")
        if lock.exists():
            shutil.copyfile(lock, solved)
        command = [uv, "pip", "compile", "--universal", "--python-version", PYTHON, "--extra", "dev"]
        command += ["--constraint", str(pin), "--no-header", "--no-annotate", "--no-emit-index-url", "--quiet"]
        done = subprocess.run([*command, "--output-file", str(solved), "pyproject.toml"], cwd=root, check=False)
        if done.returncode != 0:
            raise CommandError("uv found no set of versions; its reasons are above.")
        lock.write_text(clean(solved.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
    return lock


def clean(solved: str) -> str:
    """The lock's text: our header, then the requirements without comments, index options and GPU packages."""
    lines = [line.strip() for line in solved.splitlines()]
    kept = [line for line in lines if line and not line.startswith(("#", "-", *DROPPED))]
    return HEADER + "\n".join(kept) + "\n"
