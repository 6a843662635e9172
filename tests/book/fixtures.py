"""The book of this repository, built strictly, once for all tests that look at it."""

import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock


def run_build(root: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """The finished build of the book in `root`, in a process of its own as `make book` runs it."""
    command = [sys.executable, "-m", "llmcourse.book.build", str(root), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)


@pytest.fixture(scope="session")
def built_book(root: Path) -> Path:
    """The folder of the built pages."""
    build_folder = root / "_build"
    build_folder.mkdir(exist_ok=True)
    # several test processes may ask for it at the same time: the first builds, the others find it fresh
    with FileLock(build_folder / ".lock"):
        done = run_build(root)
    assert done.returncode == 0, f"the strict build failed:\n{done.stdout}\n{done.stderr}"
    return build_folder / "html"
