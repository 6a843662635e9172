"""Run the tools that read the code without running it, all of them, and say which object."""

import subprocess
import time
from pathlib import Path

from llmcourse.commands.errors import RunFailed
from llmcourse.commands.places import environment, program

CHECKS: dict[str, list[str]] = {
    "ruff check": ["ruff", "check", "."],
    "ruff format": ["ruff", "format", "--check", "."],
    "mypy": ["mypy", "llmcourse"],
    # a cached import graph has missed a module that changed
    "import-linter": ["lint-imports", "--no-cache"],
    "codespell": ["codespell"],
}


def run_checks(root: Path, fix: bool = False) -> None:
    """Run every check in turn; with `fix`, let ruff mend first what it can.

    Raises: RunFailed naming the checks that failed.
    """
    if fix:
        for words in (["check", "--fix", "--quiet", "."], ["format", "."]):
            subprocess.run([program("ruff"), *words], cwd=root, env=environment(), check=False)
    failed = []
    for name, (tool, *words) in CHECKS.items():
        start = time.perf_counter()
        print(f"── {name}", flush=True)
        status = subprocess.run([program(tool), *words], cwd=root, env=environment(), check=False).returncode
        print(f"   {'ok' if status == 0 else 'FAILED'} in {time.perf_counter() - start:.1f} s", flush=True)
        if status != 0:
            failed.append(name)
    if failed:
        raise RunFailed(f"{len(failed)} of {len(CHECKS)} checks failed: {', '.join(failed)}.")
    print(f"All {len(CHECKS)} checks passed.")
