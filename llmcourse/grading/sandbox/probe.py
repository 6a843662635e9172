"""Which sandbox this machine gives, found out by trying, and what would raise it."""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from llmcourse.grading.sandbox import landlock
from llmcourse.grading.sandbox.bubblewrap import bubblewrap_command, warm_environment
from llmcourse.grading.sandbox.kernel import machine
from llmcourse.grading.sandbox.places import python_places
from llmcourse.grading.sandbox.tiers import SandboxUnavailable, Tier

PATIENCE = 60  # seconds for a trial, on a machine that is busy grading
NEEDS = "Linux 5.13 or newer with Landlock and seccomp, on x86_64 or aarch64"
WAY_OUT = (
    "Grade on such a machine, in a Linux virtual machine or WSL 2, or say --no-sandbox in so many words, "
    "which runs students' code with your own rights."
)


@dataclass(frozen=True)
class Report:
    """What the trials found; empty reasons mean that a tier works."""

    tier: Tier
    landlock: int  # the kernel's version of it, 0 for none
    new_proc: bool  # whether bubblewrap may mount a /proc of its own
    why_not_one: str
    why_not_two: str


def probe() -> Report:
    """What this machine gives. Two or three short processes lock themselves in and try to get out."""
    if not machine():
        reason = f"this is {sys.platform}, and the sandbox needs {NEEDS}"
        return Report(Tier.NONE, 0, False, reason, reason)
    known = landlock.version()
    why_not_two = _try(Tier.TWO) if known else f"the kernel offers no Landlock; the sandbox needs {NEEDS}"
    why_not_one, new_proc = why_not_two, True
    if not why_not_two:
        why_not_one = _try(Tier.ONE)
        if why_not_one:
            retry = _try(Tier.ONE, new_proc=False)
            why_not_one, new_proc = (retry, False) if not retry else (why_not_one, True)
    tier = Tier.NONE if why_not_two else Tier.TWO if why_not_one else Tier.ONE
    return Report(tier, known, new_proc and tier is Tier.ONE, why_not_one, why_not_two)


def _try(tier: Tier, new_proc: bool = True) -> str:
    """Empty where the tier works here, else why not."""
    with tempfile.TemporaryDirectory() as folder:
        scratch, outside = Path(folder).resolve() / "scratch", Path(folder).resolve() / "outside.txt"
        scratch.mkdir()
        outside.write_text("not for you", encoding="utf-8")
        command = [sys.executable, "-m", "llmcourse.grading.sandbox.trial", tier.value, str(scratch), str(outside)]
        try:
            if tier is Tier.ONE:
                command = bubblewrap_command(
                    command,
                    readable=python_places(),
                    scratch=scratch,
                    environment=warm_environment(),
                    new_proc=new_proc,
                )
            done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
        except SandboxUnavailable as error:
            return str(error)
        except subprocess.TimeoutExpired:
            return f"a trial took longer than {PATIENCE} seconds"
    if done.returncode:
        return (done.stderr.strip() or f"the trial ended with status {done.returncode}").splitlines()[-1]
    return json.loads(done.stdout)["verdict"]


def require(report: Report) -> Tier:
    """The report's tier.

    Raises: SandboxUnavailable where there is none, with the way out.
    """
    if report.tier is Tier.NONE:
        raise SandboxUnavailable(f"No sandbox here: {report.why_not_two}. {WAY_OUT}")
    return report.tier
