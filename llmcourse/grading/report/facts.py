"""What the report tells, gathered from the gradebook, the executed notebooks and the last run."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import nbformat
from nbformat import NotebookNode

from llmcourse.grading.course import outputs
from llmcourse.grading.export import Score, read_scores
from llmcourse.grading.fixtures import grade_id
from llmcourse.grading.intake.limits import Problem
from llmcourse.grading.report.similar import Pair, similar_pairs
from llmcourse.grading.schedule import Settings
from llmcourse.grading.schedule.run import read_source, read_summary, students_of

CODE = re.compile(r"\(code: ([a-z][\w-]*\.[\w-]+)\)|\[([a-z][\w-]*\.[\w-]+)\]\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Flag:
    """A place in a submission that a person should look at."""

    student: str
    where: str
    what: str


@dataclass(frozen=True)
class Facts:
    """All that the page shows."""

    assignment: str
    scores: Sequence[Score]
    passed: Mapping[str, float]  # by test: the share of the points that the class reached
    mistakes: Mapping[str, Sequence[str]]  # by code: who made it
    seconds: Mapping[str, float]  # by student
    task_seconds: Mapping[str, Sequence[float]]  # by cell, where the notebooks tell
    flags: Sequence[Flag]
    pairs: Sequence[Pair]
    problems: Mapping[str, Sequence[Problem]]
    failed: Mapping[str, str]


def read_facts(settings: Settings, assignment: str) -> Facts:
    """Gather them.

    Raises: ValueError where the gradebook does not know the assignment.
    """
    scores = read_scores(settings.database, assignment, settings.coursedir.course_id)
    notebooks = {}
    for student in students_of(settings, assignment):
        path = settings.folder("autograded", student, assignment) / f"{assignment}.ipynb"
        if path.is_file() and not path.is_symlink():
            notebooks[student] = nbformat.read(path, as_version=4)
    summary = read_summary(settings.root, assignment)
    source = nbformat.reads(read_source(settings, assignment), as_version=4)
    return Facts(
        assignment,
        scores,
        passed(settings.database, assignment, settings.coursedir.course_id),
        mistakes(notebooks),
        summary.seconds,
        task_seconds(notebooks),
        [flag for student, notebook in notebooks.items() for flag in flags_of(student, notebook)],
        similar_pairs(
            {student: own_code(notebook) for student, notebook in notebooks.items()},
            [cell.source for cell in source.cells if cell.cell_type == "code"],
        ),
        summary.problems,
        summary.failed,
    )


def passed(database: str, assignment: str, course_id: str) -> dict[str, float]:
    """The share of each test's points that those who handed in reached."""
    from nbgrader.api import Gradebook

    reached: dict[str, list[float]] = defaultdict(list)
    with Gradebook(database, course_id) as gradebook:
        for submission in gradebook.assignment_submissions(assignment):
            for grade in submission.notebooks[0].grades:
                if grade.max_score and not grade.needs_manual_grade:
                    reached[grade.name].append(float(grade.score) / float(grade.max_score))
    return {name: sum(shares) / len(shares) for name, shares in reached.items()}


def mistakes(notebooks: Mapping[str, NotebookNode]) -> dict[str, list[str]]:
    """The codes of failed checks, the commonest first, with who made the mistake."""
    found: dict[str, set[str]] = defaultdict(set)
    for student, notebook in notebooks.items():
        marked = [cell for cell in notebook.cells if cell.get("metadata", {}).get("nbgrader", {}).get("grade")]
        for printed in outputs(NotebookNode(cells=marked)).values():
            for match in CODE.finditer(printed):
                found[match[1] or match[2]].add(student)
    return {code: sorted(who) for code, who in sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))}


def task_seconds(notebooks: Mapping[str, NotebookNode]) -> dict[str, list[float]]:
    """How long each cell ran, by its grade_id, where the grader noted it."""
    found: dict[str, list[float]] = defaultdict(list)
    for notebook in notebooks.values():
        for cell in notebook.cells:
            seconds = cell.metadata.get("llmcourse", {}).get("seconds")
            if isinstance(seconds, float | int) and cell.metadata.get("nbgrader"):
                found[grade_id(cell)].append(float(seconds))
    return dict(found)


def flags_of(student: str, notebook: NotebookNode) -> list[Flag]:
    """What the split checker marked for a person."""
    marked = notebook.metadata.get("llmcourse", {}).get("flags", [])
    return [
        Flag(
            student,
            f"{each.get('cell', '')}, line {each.get('line', 0)}",
            f"{each.get('name', '')}: {each.get('why', '')}",
        )
        for each in marked
    ]


def own_code(notebook: NotebookNode) -> str:
    """What the student wrote: answers and cells of their own."""
    theirs = []
    for cell in notebook.cells:
        info = cell.metadata.get("nbgrader", {})
        if cell.cell_type == "code" and (not info.get("grade_id") or info.get("solution")):
            theirs.append(cell.source)
    return "\n".join(theirs)
