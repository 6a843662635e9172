"""Fixture files are read as they are written, or refused with a reason."""

from pathlib import Path

import nbformat
import pytest

from llmcourse.grading.fixtures import read_fixture, submission
from llmcourse.grading.late import SECONDS_PER_DAY, TenthPerDay

GOOD = '''"""Mutant 1: wrong.

loses: f_check f_test
code: area.one area.two
says: this way | or that
"""

import math


# cell: f
def f():
    return math.pi


# cell: g-2
g = 1
'''


def write(folder: Path, text: str) -> Path:
    path = folder / "fixture.py"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_fixture_holds_the_cells_and_what_to_expect(tmp_path: Path) -> None:
    fixture = read_fixture(write(tmp_path, GOOD))
    assert fixture.summary == "Mutant 1: wrong."
    assert fixture.replaces == {"f": "def f():\n    return math.pi", "g-2": "g = 1"}
    assert fixture.loses == {"f_check", "f_test"}
    assert fixture.codes == ("area.one", "area.two")
    assert fixture.says == ("this way", "or that")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x = 1\n", "needs a docstring"),
        ('"""Nothing in it."""\n', "needs a line `# cell:"),
        ('"""Wrong.\n\nloses: f_test\n"""\n# cell: f\nf = 1\n', "needs `code:` and `says:`"),
    ],
)
def test_an_incomplete_fixture_is_refused_by_name(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=f"fixture.py.*{reason}"):
        read_fixture(write(tmp_path, text))


def test_an_answer_that_the_notebook_does_not_ask_for_is_refused() -> None:
    with pytest.raises(ValueError, match="no answer 'f'"):
        submission(nbformat.v4.new_notebook(), {"f": "f = 1"})


@pytest.mark.parametrize(
    ("seconds", "penalty"), [(0, None), (1, 2.1), (SECONDS_PER_DAY, 2.1), (SECONDS_PER_DAY + 1, 4.2)]
)
def test_each_started_day_costs_a_tenth(seconds: float, penalty: float | None) -> None:
    assert TenthPerDay().late_submission_penalty("ada", 21.0, seconds) == penalty


def test_the_penalty_never_exceeds_the_score() -> None:
    assert TenthPerDay().late_submission_penalty("ada", 21.0, 30 * SECONDS_PER_DAY) == 21.0
