"""Open the course in JupyterLab."""

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

    notebooks = write_notebooks(root)
    print(f"Wrote {len(notebooks)} chapters as notebooks to {root / 'chapters'}.")
    print("JupyterLab opens in the browser: read in chapters/, work in exercises/. Stop it with Ctrl-C.", flush=True)
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={root}", *arguments]
    try:
        status = subprocess.run(command, cwd=root, env=environment(), check=False).returncode
    except KeyboardInterrupt:
        return
    if status != 0:
        raise RunFailed(f"JupyterLab ended with exit code {status}.")
