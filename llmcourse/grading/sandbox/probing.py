"""Which sandbox this machine gives, found out by trying, and what would raise it."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from llmcourse.grading.sandbox import landlock
from llmcourse.grading.sandbox.bubblewrap import Bubble, bubblewrap_command, warm_environment
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
    bubble: Bubble  # in which way bubblewrap works, where it does
    why_not_one: str
    why_not_two: str


def probe() -> Report:
    """What this machine gives: a few short processes lock themselves in and try to get out."""
    if not machine():
        reason = f"this is {sys.platform}, and the sandbox needs {NEEDS}"
        return Report(Tier.NONE, 0, Bubble(), reason, reason)
    known = landlock.version()
    why_not_two = _try(Tier.TWO) if known else f"the kernel offers no Landlock; the sandbox needs {NEEDS}"
    if why_not_two:
        return Report(Tier.NONE, known, Bubble(), why_not_two, why_not_two)
    reasons = []
    for bubble in _bubbles():
        reasons.append(_try(Tier.ONE, bubble))
        if not reasons[-1]:
            return Report(Tier.ONE, known, bubble, "", "")
    return Report(Tier.TWO, known, Bubble(), reasons[0], "")


def _bubbles() -> Iterator[Bubble]:
    """The ways in which bubblewrap may work, the best first."""
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    for new_users in (False, True) if as_root else (True,):
        for new_proc in (True, False):
            yield Bubble(new_proc, new_users)


def _try(tier: Tier, bubble: Bubble | None = None) -> str:
    """Empty where the tier works here, else why not."""
    with tempfile.TemporaryDirectory() as folder:
        scratch, outside = Path(folder).resolve() / "scratch", Path(folder).resolve() / "outside.txt"
        scratch.mkdir()
        outside.write_text("not for you", encoding="utf-8")
        command = [sys.executable, "-m", "llmcourse.grading.sandbox.trial", tier.value, str(scratch), str(outside)]
        try:
            if bubble is not None:
                command = bubblewrap_command(
                    command,
                    readable=python_places(),
                    scratch=scratch,
                    environment=warm_environment(),
                    bubble=bubble,
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
