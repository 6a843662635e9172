"""Grades out: the right row, nothing else touched, and nothing that a spreadsheet would run."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbgrader.api import Gradebook

from llmcourse.grading.export import Score, fill_canvas, fill_moodle, read_scores, write_plain
from llmcourse.grading.export.tables import BOM, as_csv, harmless, match, number
from tests.grading.classes import WORK, hand_in
from tests.grading.test_schedule import run

CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Notes,06-attention (4711),Old (9),Assignments Current Score\r\n"
    ",,,,,,Manual Posting,,\r\n"
    "    Points Possible,,,,,,10.00,5.00,(read only)\r\n"
    '"Lovelace, Ada",101,S-1,ada@example.org,Monday,"says ""hi"", often",,4.50,90.00\r\n'
    '"Babbage, Ben",102,S-2,ben@example.org,Tuesday,,3.00,,12.00\r\n'
    '"Curie, Cem",103,S-3,cem@example.org,Monday and Tuesday,,EX,,\r\n'
    '"=HYPERLINK(""x"")",104,S-4,dora@example.org,Tuesday,,,,\r\n'
    '"Student, Test",999,,xyz,Monday,,,,\r\n'
)
MOODLE = (
    "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed,"
    "Last modified (submission),Last modified (grade),Feedback comments\n"
    'Participant 501,Ada Lovelace,ada@example.org,Submitted for grading,,100.00,Yes,"Thursday, 1 October",-,\n'
    "Participant 502,Ben Babbage,ben@example.org,Submitted for grading,10.00,100.00,No,-,-,kept\n"
    "Participant 503,Eve,eve@example.org,No submission,,100.00,Yes,-,-,\n"
)


def score(student: str, points: float | None, **more: object) -> Score:
    return Score(student, points=points, max_points=20.0, handed_in=True, **more)  # type: ignore[arg-type]


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix(BOM), newline="")))


@pytest.fixture
def gradebook(tmp_path: Path) -> Path:
    """A gradebook of Canvas: two sections, a student in both, a hidden one, a read-only column, a mark in front."""
    path = tmp_path / "gradebook.csv"
    path.write_bytes((BOM + CANVAS).encode())
    return path


def test_canvas_gets_one_column_and_every_other_cell_stays(gradebook: Path, tmp_path: Path) -> None:
    scores = [score("101", 15.0), score("102", 7.25), score("103", 20.0), score("105", 1.0)]
    filled = fill_canvas(gradebook, "06-attention", scores)
    filled.write(tmp_path / "out.csv")
    written = (tmp_path / "out.csv").read_bytes()
    assert written.startswith(BOM.encode())
    assert written.count(b"\r\n") == CANVAS.count("\r\n")
    before, after = rows(CANVAS), rows(written.decode())
    changed = {(r, c): cell for r, row in enumerate(after) for c, cell in enumerate(row) if cell != before[r][c]}
    assert changed == {(3, 6): "7.5", (4, 6): "3.625", (6, 0): '\'=HYPERLINK("x")'}
    assert filled.not_in_gradebook == ['=HYPERLINK("x")']
    assert filled.not_in_file == ["105"]


@pytest.mark.parametrize(
    "scores",
    [
        [score("S-1", 20.0), score("S-2", 10.0)],
        [score("ADA@example.org", 20.0), score("ben@example.org", 10.0)],
        [score("ada", 20.0, platform_id="101"), score("102", 10.0)],
        [score("ada", 20.0, email="ada@example.org"), score("ben", 10.0, email="ben@example.org")],
    ],
)
def test_students_are_found_by_any_of_their_names(gradebook: Path, scores: list[Score]) -> None:
    filled = fill_canvas(gradebook, "06-attention", scores)
    assert [row[6] for row in filled.rows[3:5]] == ["10", "5"]
    assert filled.not_in_file == []


def test_a_number_that_is_another_persons_elsewhere_swaps_nobodys_grades() -> None:
    scores = [score("101", 1.0, platform_id="102"), score("102", 2.0, platform_id="101")]
    found = match({"ID": {0: "101", 1: "102"}, "SIS": {0: "x", 1: "y"}}, scores)
    assert {row: each.points for row, each in found.items()} == {0: 2.0, 1: 1.0}
    twice = [score("a", 1.0, email="same@example.org"), score("b", 2.0, email="same@example.org")]
    assert match({"mail": {0: "same@example.org"}}, twice) == {}


def test_what_waits_for_a_person_or_fits_two_rows_is_left_and_told(gradebook: Path) -> None:
    gradebook.write_text(CANVAS.replace("102,S-2", "101,S-2"), encoding="utf-8")
    filled = fill_canvas(gradebook, "06-attention", [score("101", 20.0), score("103", None)])
    assert [row[6] for row in filled.rows[3:6]] == ["", "3.00", "EX"]
    assert (filled.given_twice, filled.waiting, filled.written) == (["101"], ["103"], 0)
    assert len(filled.report()) == 3


@pytest.mark.parametrize(
    ("content", "column", "reason"),
    [
        (CANVAS, "07", "No column is named '07': give --column one of '06-attention .4711.', 'Old .9.'"),
        (CANVAS.replace("Old (9)", "06-attention (9)"), None, "Two columns are named"),
        (CANVAS, "Assignments Current Score", "cannot be filled"),
        (CANVAS.replace("Points Possible", "Points"), None, "no row `Points Possible`"),
        (MOODLE, None, "no gradebook of Canvas"),
        ("", None, "is empty"),
    ],
)
def test_a_file_that_is_no_gradebook_is_refused(tmp_path: Path, content: str, column: str | None, reason: str) -> None:
    path = tmp_path / "g.csv"
    path.write_text(content, encoding="utf-8", newline="")
    with pytest.raises(ValueError, match=reason):
        fill_canvas(path, "06-attention", [], column)


def test_moodle_gets_grades_and_comments_and_keeps_what_is_locked(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text(MOODLE, encoding="utf-8", newline="")
    scores = [score("501", 15.0, comment="Good <b>\nLate."), score("502", 20.0), score("504", 1.0)]
    filled = fill_moodle(path, scores)
    filled.write(tmp_path / "out.csv")
    before, after = rows(MOODLE), rows((tmp_path / "out.csv").read_text(encoding="utf-8"))
    changed = {(r, c): cell for r, row in enumerate(after) for c, cell in enumerate(row) if cell != before[r][c]}
    assert changed == {(1, 4): "75", (1, 9): "Good &lt;b&gt;<br />Late."}
    assert filled.not_in_gradebook == ["Eve"]
    assert filled.not_in_file == ["504"]
    assert filled.waiting == ["502 (locked in Moodle)"]
    path.write_text(CANVAS, encoding="utf-8")
    with pytest.raises(ValueError, match="no grading worksheet"):
        fill_moodle(path, scores)


# formulas


@pytest.mark.parametrize(
    "text", ["=1+1", "+1+1", "-1+cmd", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "＝1", "-", "+x"]
)
def test_no_cell_is_a_formula(text: str) -> None:
    assert harmless(text).startswith("'") is (text != "-")


@pytest.mark.parametrize("text", ["-1.5", "+3", "12", "1e5", "-0,5", "75%", " -2 ", "", "a=b", "x-1"])
def test_numbers_and_plain_words_stay(text: str) -> None:
    assert harmless(text) == text


@given(st.lists(st.lists(st.text(max_size=12), min_size=1, max_size=4), min_size=1, max_size=4))
def test_any_table_reads_back_and_no_cell_of_it_runs(table: list[list[str]]) -> None:
    table = [[cell.replace("\0", "") for cell in row] for row in table]
    back = list(csv.reader(io.StringIO(as_csv(table), newline="")))
    assert back == [[harmless(cell) for cell in row] for row in table]
    for row in back:
        for cell in row:
            assert cell[:1] not in "=@\t\r" or cell == ""


@given(st.floats(-1e6, 1e6))
def test_points_are_written_without_exponent_and_read_back(points: float) -> None:
    text = number(points)
    assert "e" not in text
    assert float(text) == pytest.approx(points, abs=1e-4)


# the gradebook


def test_scores_hold_those_who_handed_in_nothing_and_those_who_wait(course: Path, tmp_path: Path) -> None:
    database = f"sqlite:///{course / 'gradebook.db'}"
    with Gradebook(database, "llmcourse") as gradebook:
        gradebook.add_student("gus", first_name="=Gus", last_name="G", email="gus@example.org", lms_user_id="7")
    hand_in(course, "ada", "right = 1")
    run(course)
    ada, gus = read_scores(database, WORK, "llmcourse")
    assert (ada.student, ada.points, ada.handed_in) == ("ada", None, True)
    assert (gus.called("platform"), gus.points, gus.handed_in) == ("7", 0.0, False)
    with Gradebook(database, "llmcourse") as gradebook:
        mark = gradebook.find_grade("why", WORK, WORK, "ada")
        mark.manual_score, mark.needs_manual_grade = 2.5, False
        gradebook.db.commit()
    ada, gus = read_scores(database, WORK, "llmcourse")
    assert (ada.points, ada.max_points) == (5.5, 6.0)
    filled = write_plain(tmp_path / "plain.csv", WORK, [ada, gus])
    assert filled.written == 2
    table = rows((tmp_path / "plain.csv").read_text(encoding="utf-8"))
    assert table[1] == [WORK, "ada", "", "", "", "yes", "5.5", "6", "0"]
    assert table[2][:5] == [WORK, "gus", "G", "'=Gus", "gus@example.org"]
    with pytest.raises(ValueError, match="does not know other; it knows area"):
        read_scores(database, "other", "llmcourse")
