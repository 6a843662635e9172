"""What each student of the gradebook reached in one assignment."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Score:
    """One student's points, after the late penalty; None where a person has still to give some."""

    student: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    platform_id: str = ""
    handed_in: bool = False
    points: float | None = 0.0
    max_points: float = 0.0
    penalty: float = 0.0
    comment: str = ""

    def called(self, kind: str) -> str:
        """The student's name on the `platform`, in the class list (`student`), or `email`.

        Whoever has no number of the platform was collected under it.
        """
        return {"platform": self.platform_id or self.student, "student": self.student, "email": self.email}[kind]


def read_scores(database: str, assignment: str, course_id: str) -> list[Score]:
    """A score for every student of the class list, in the order of their ids; zero for nothing handed in.

    Raises: ValueError where the gradebook does not know the assignment.
    """
    from nbgrader.api import Gradebook, MissingEntry

    with Gradebook(database, course_id) as gradebook:
        try:
            known = gradebook.find_assignment(assignment)
        except MissingEntry:
            names = ", ".join(sorted(each.name for each in gradebook.assignments)) or "none"
            raise ValueError(f"The gradebook does not know {assignment}; it knows {names}.") from None
        handed_in = {each.student.id: each for each in gradebook.assignment_submissions(assignment)}
        return [
            _score(student, handed_in.get(student.id), float(known.max_score))
            for student in sorted(gradebook.students, key=lambda each: each.id)
        ]


def _score(student: Any, submission: Any, max_points: float) -> Score:
    who = {
        "student": student.id,
        "first_name": student.first_name or "",
        "last_name": student.last_name or "",
        "email": student.email or "",
        "platform_id": student.lms_user_id or "",
    }
    if submission is None:
        return Score(**who, max_points=max_points, comment="Nothing was handed in.")
    penalty = float(submission.late_submission_penalty or 0)
    points = None if submission.needs_manual_grade else max(0.0, float(submission.score) - penalty)
    return Score(
        **who,
        handed_in=True,
        points=points,
        max_points=max_points,
        penalty=penalty,
        comment=_comment(submission, penalty),
    )


def _comment(submission: Any, penalty: float) -> str:
    """What persons wrote, and what lateness cost."""
    lines = [note.manual_comment for book in submission.notebooks for note in book.comments if note.manual_comment]
    if penalty:
        lines.append(f"Late: {penalty:g} points were taken off.")
    return "\n".join(lines)
