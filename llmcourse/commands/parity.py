"""Run a released checkpoint here and in the transformers library, and hold the two to each other."""

import subprocess
import sys
from pathlib import Path

from llmcourse.commands.errors import CommandError, RunFailed
from llmcourse.commands.places import environment

SCRIPT = Path("tests") / "parity" / "released.py"


def run_parity(root: Path, name: str, out: Path, *, cache: Path | None = None, host: str | None = None) -> Path:
    """Fetches the checkpoint, compares, and writes what both said to `out`, which is given back.

    Raises: ConnectionError in one line where there is no network; RunFailed where the two differ.
    """
    from llmcourse.hub.download import HOST, find_folder

    if not (root / SCRIPT).is_file():
        raise CommandError(f"The comparison runs in a checkout of the course: {root / SCRIPT} is not there.")
    folder = find_folder(name, ["weights", "tokenizer"], cache, host or HOST)
    command = [sys.executable, "-m", "tests.parity.released", str(folder.resolve()), str(out.resolve())]
    if subprocess.run(command, cwd=root, env=environment(OMP_NUM_THREADS="1"), check=False).returncode != 0:
        raise RunFailed(f"{name} does not give the library's numbers here.")
    return out
