"""A made-up class: who hands in what and when, and the score that each must get."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from nbformat import NotebookNode

from llmcourse.grading.fixtures import (
    Fixture,
    answers,
    graded_points,
    points_in_words,
    read_fixtures,
    release_notebook,
    solution_notebook,
    submission,
)

DUE = datetime(2026, 10, 1, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Student:
    """One made-up student: the notebooks handed in, in order, and what the grader must make of the last one."""

    name: str
    story: str
    handed_in: tuple[tuple[datetime, NotebookNode], ...]
    automatic: float  # points from the test cells
    in_words: float  # points that a person gives
    penalty: float = 0.0  # a tenth of the automatic points for each started day

    @property
    def total(self) -> float:
        return self.automatic + self.in_words - self.penalty


def make_class(root: Path, exercise: str) -> list[Student]:
    """Seven students with an exercise's fixtures: right, partly right, wrong, unusual, late, untouched, missing."""
    solution, release = solution_notebook(root, exercise), release_notebook(root, exercise)
    points, right, words = graded_points(solution), answers(solution), points_in_words(solution)
    full, in_words = sum(points.values()), sum(words.values())
    mutants = one_per_answer(read_fixtures(root / "tests" / "exercises" / exercise / "mutants"))
    unusual = one_per_answer(read_fixtures(root / "tests" / "exercises" / exercise / "alternatives"))
    some = dict(list(mutants.items())[:2])

    def hand_in(chosen: Mapping[str, Fixture], text: str | None = None) -> NotebookNode:
        given = {**right, **{name: source for f in chosen.values() for name, source in f.replaces.items()}}
        return submission(release, given if text is None else {**given, **dict.fromkeys(words, text)})

    def keeps(chosen: Mapping[str, Fixture]) -> float:
        lost = {name for fixture in chosen.values() for name in fixture.loses}
        return full - sum(points[name] for name in lost)

    early, late = DUE - timedelta(hours=3), DUE + timedelta(days=1, hours=6)
    first_try = submission(release, {})
    return [
        Student("ada", "all right, at the second attempt", ((early, first_try), (DUE, hand_in({}))), full, in_words),
        Student("ben", f"{len(some)} mistakes", ((early, hand_in(some, "They are wrong.")),), keeps(some), 1),
        Student("cem", "a mistake in every answer", ((early, hand_in(mutants, "I agree.")),), keeps(mutants), 0),
        Student("dora", "all right, in unusual ways", ((early, hand_in(unusual)),), full, in_words),
        Student("eli", "all right, two days late", ((late, hand_in({})),), full, in_words, round(full * 0.2, 2)),
        Student("flo", "handed in as it was released", ((early, release),), 0, 0),
        Student("gus", "handed in nothing", (), 0, 0),
    ]


def one_per_answer(fixtures: list[Fixture]) -> dict[str, Fixture]:
    """For each answer the first fixture that replaces it and nothing else."""
    chosen: dict[str, Fixture] = {}
    for fixture in fixtures:
        if len(fixture.replaces) == 1:
            chosen.setdefault(next(iter(fixture.replaces)), fixture)
    return chosen
