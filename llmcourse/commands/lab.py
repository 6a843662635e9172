"""Open the course in JupyterLab."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from llmcourse.commands.errors import RunFailed
from llmcourse.commands.places import environment


def open_lab(root: Path, arguments: Sequence[str] = ()) -> None:
    """Write the chapters as notebooks, then run JupyterLab on the course until it is stopped.

    Raises: RunFailed where JupyterLab ends with an error.
    """
    from llmcourse.book.notebooks import write_notebooks

    print(f"Writing the chapters as notebooks: {len(write_notebooks(root))} in {root / 'chapters'}.")
    print("JupyterLab opens in the browser: read in chapters/, work in exercises/. Stop it with Ctrl-C.", flush=True)
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={root}", *as_root(), *arguments]
    os.chdir(root)
    if os.name == "posix":
        # JupyterLab takes this process over, so that Ctrl-C and every other signal is its own
        os.execve(command[0], command, environment())
    status = subprocess.run(command, env=environment(), check=False).returncode
    if status != 0:
        raise RunFailed(f"JupyterLab ended with exit code {status}.")


def as_root() -> list[str]:
    """What JupyterLab asks of root, the usual user of a container; nothing for anyone else."""
    return ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
