"""Run the benchmarks: each times the package and a peer in turn, and prints ratios."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from llmcourse.commands.errors import CommandError, RunFailed
from llmcourse.commands.places import environment


def benchmarks(root: Path) -> dict[str, Path]:
    """The scripts by name; a file that is not run by itself only helps the others."""
    scripts = sorted((root / "benchmarks").glob("*.py"))
    return {path.stem: path for path in scripts if 'if __name__ == "__main__":' in path.read_text(encoding="utf-8")}


def run_benchmarks(root: Path, names: Sequence[str] = ()) -> None:
    """Run the named benchmarks, or all, on one thread each, one after the other.

    Raises: CommandError for an unknown name; RunFailed naming those that ended with an error.
    """
    known = benchmarks(root)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise CommandError(f"There is no benchmark {unknown[0]!r}; there are {', '.join(known)}.")
    failed = []
    for name in names or known:
        print(f"\n── {name}", flush=True)
        command = [sys.executable, str(known[name])]
        if subprocess.run(command, cwd=root, env=environment(OMP_NUM_THREADS="1"), check=False).returncode:
            failed.append(name)
    if failed:
        raise RunFailed(f"Benchmarks failed: {', '.join(failed)}.")
