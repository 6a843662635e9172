"""The sandbox: a student's process reads what Python needs, writes in its scratch folder, and reaches nothing else."""

from llmcourse.grading.sandbox.bubblewrap import Bubble, bubblewrap_command, warm_environment
from llmcourse.grading.sandbox.clearing import clear, used_bytes
from llmcourse.grading.sandbox.doctor import doctor
from llmcourse.grading.sandbox.lock import lock_down, rehearse_lock
from llmcourse.grading.sandbox.places import python_places
from llmcourse.grading.sandbox.probing import Report, probe, require
from llmcourse.grading.sandbox.tiers import Limits, SandboxUnavailable, Tier

__all__ = [
    "Bubble",
    "Limits",
    "Report",
    "SandboxUnavailable",
    "Tier",
    "bubblewrap_command",
    "clear",
    "doctor",
    "lock_down",
    "probe",
    "python_places",
    "rehearse_lock",
    "require",
    "used_bytes",
    "warm_environment",
]
