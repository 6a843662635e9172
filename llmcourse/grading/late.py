"""How late work is marked; `nbgrader_config.py` names the rule, and any other can take its place."""

from math import ceil

from nbgrader.plugins import LateSubmissionPlugin

SECONDS_PER_DAY = 24 * 60 * 60


class TenthPerDay(LateSubmissionPlugin):
    """Each started day costs a tenth of the points that were reached."""

    def late_submission_penalty(self, student_id: str, score: float, total_seconds_late: float) -> float | None:
        """Points to take off; None for work that came in time."""
        days = ceil(total_seconds_late / SECONDS_PER_DAY)
        return None if days <= 0 else min(score, round(score * days / 10, 2))
