"""Intake: whatever a student hands in becomes a plain notebook, or a line that says why not; nothing escapes."""

import json
import os
import stat
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbgrader.nbgraderformat import MetadataValidator

from llmcourse.grading.intake import Limits, guess_platform, parse, read_name, receive, repair, unpack
from llmcourse.grading.intake.collect import choose, extract_all
from llmcourse.grading.intake.ledger import Entry, read_ledger, read_times, write_ledger
from llmcourse.grading.intake.notebooks import BrokenNotebook
from llmcourse.grading.intake.paths import safe_parts
from llmcourse.grading.intake.platforms import same_work
from llmcourse.grading.intake.plugins import tidy

WORK = "06-attention"


def answer_cell(grade_id: str, source: str, **metadata: object) -> NotebookNode:
    info = {"schema_version": 3, "grade_id": grade_id, "grade": False, "solution": True, "locked": False, "task": False}
    return nbformat.v4.new_code_cell(source, metadata={"nbgrader": {**info, **metadata}})


def check_cell(grade_id: str, source: str) -> NotebookNode:
    return answer_cell(grade_id, source, grade=True, solution=False, locked=True, points=1.0)


@pytest.fixture
def source() -> NotebookNode:
    """An instructor's notebook of one answer and one test."""
    return nbformat.v4.new_notebook(cells=[answer_cell("f", "def f(): return 1"), check_cell("f_test", "assert f()")])


def handed_in(*cells: NotebookNode) -> bytes:
    return nbformat.writes(nbformat.v4.new_notebook(cells=list(cells))).encode()


# archives


def pack(path: Path, *entries: tuple[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(zipfile.ZipInfo(name), content)
    return path


@pytest.mark.parametrize(
    "name",
    ["../out", "a/../../out", "/etc/out", "C:\\out", "c:out", "..\\out", "a//b", "./out", "nul", "a/COM1.txt", "aux .x",
     "a\nb", "tail.", "tail ", "a:stream", "x" * 300, "/".join("abcdefghijklmn"), "\ud800"],
)  # fmt: skip
def test_a_path_that_leads_out_or_exists_on_no_platform_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        safe_parts(name)


def test_an_archive_brings_plain_files_below_its_folder_and_nothing_else(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    link, pipe = zipfile.ZipInfo("link"), zipfile.ZipInfo("pipe")
    link.external_attr, pipe.external_attr = (stat.S_IFLNK | 0o777) << 16, (stat.S_IFIFO | 0o777) << 16
    with zipfile.ZipFile(archive, "w") as file:
        for entry in (link, pipe):
            file.writestr(entry, "/etc/passwd")
        for name in ("good/a.txt", "../out.txt", "/out.txt", "__MACOSX/a.txt", "GOOD/A.TXT"):
            file.writestr(zipfile.ZipInfo(name), name)
    result = unpack(archive, tmp_path / "in")
    assert list(result.files) == ["good/a.txt"]
    assert len(result.problems) == 5
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.txt", "a.zip", "good", "in"]


def test_a_bomb_stops_at_the_limit_whatever_size_it_claims(tmp_path: Path) -> None:
    bomb = pack(tmp_path / "bomb.zip", ("zeros", bytes(5_000_000)), ("small", b"ok"))
    limits = Limits(file_bytes=1_000_000)
    result = unpack(bomb, tmp_path / "in", limits)
    assert list(result.files) == ["small"]
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["small"]
    many = pack(tmp_path / "many.zip", *((f"{n}", b"") for n in range(50)))
    assert len(unpack(many, tmp_path / "many", Limits(files=20)).files) == 20
    wide = pack(tmp_path / "wide.zip", *((f"{n}", bytes(1000)) for n in range(50)))
    written = unpack(wide, tmp_path / "wide", Limits(total_bytes=10_500)).files
    assert sum(path.stat().st_size for path in written.values()) <= 10_500


def test_a_damaged_archive_is_a_problem_and_no_exception(tmp_path: Path) -> None:
    good = pack(tmp_path / "good.zip", ("a", os.urandom(500)), ("b", b"b" * 500))
    torn = tmp_path / "torn.zip"
    torn.write_bytes(good.read_bytes()[:-30])
    assert unpack(torn, tmp_path / "torn").problems
    flipped = bytearray(good.read_bytes())
    flipped[60] ^= 0xFF
    torn.write_bytes(flipped)
    result = unpack(torn, tmp_path / "flipped")
    assert list(result.files) == ["b"]
    assert "a was refused" in result.problems[0].text


# names of platforms


@pytest.mark.parametrize(
    ("platform", "path", "student", "file", "late"),
    [
        ("timed", "ada_20261001T123005Z_06-attention.ipynb", "ada", "06-attention.ipynb", False),
        ("canvas", "lovelaceada_123_456_06-attention-1.ipynb", "123", "06-attention-1.ipynb", False),
        ("canvas", "lovelaceada_LATE_123_456_06-attention.ipynb", "123", "06-attention.ipynb", True),
        ("canvas", "o_neil_123_456_7_8_x.ipynb", "123", "7_8_x.ipynb", False),
        ("canvas", "müller_123_456_übung.ipynb", "123", "übung.ipynb", False),
        ("canvas", "anon_x8Dk2_456_x.ipynb", "anon_x8Dk2", "x.ipynb", False),
        ("canvas", "LATE_anon_x8Dk2_456_x.ipynb", "anon_x8Dk2", "x.ipynb", True),
        ("moodle", "Ada Lovelace_123_assignsubmission_file_/06-attention.ipynb", "123", "06-attention.ipynb", False),
        ("moodle", "Ada Lovelace_123_assignsubmission_file/deep/x.ipynb", "123", "deep/x.ipynb", False),
        ("moodle", "Ada Lovelace_123_assignsubmission_file_x.ipynb", "123", "x.ipynb", False),
        ("moodle", "CS1-42/Participant_123_assignsubmission_file_/x.ipynb", "123", "x.ipynb", False),
    ],
)
def test_the_names_of_platforms_tell_whose_file_it_is(
    platform: str, path: str, student: str, file: str, late: bool
) -> None:
    arrival = read_name(path, platform)
    assert arrival is not None
    assert (arrival.student, arrival.file, arrival.late) == (student, file, late)


def test_text_that_was_typed_online_and_other_names_belong_to_nobody() -> None:
    assert read_name("Ada_123_assignsubmission_onlinetext_/onlinetext.html", "moodle") is None
    assert read_name("homework.ipynb", "canvas") is None
    assert read_name("ada_20261399T123005Z_x.ipynb", "timed") is None


def test_no_student_can_take_anothers_name_or_time_with_the_name_of_a_file() -> None:
    mallory = "mallory_666_777_ada_20200101T000000Z_123_456_06-attention.ipynb"
    others = [f"student{n}_{n}_{n}_06-attention.ipynb" for n in (1, 2)]
    assert guess_platform([mallory, *others]) == "canvas"
    arrival = read_name(mallory, "canvas")
    assert arrival is not None
    assert (arrival.student, arrival.moment) == ("666", None)
    inside = "Mallory_666_assignsubmission_file_/Ada_123_assignsubmission_file_/06-attention.ipynb"
    found = read_name(inside, "moodle")
    assert found is not None
    assert found.student == "666"
    timed = ["mallory_20261001T123005Z_ada_1_2_x.ipynb", "ben_20261001T123005Z_x.ipynb"]
    assert guess_platform(timed) == "timed"


def test_names_that_two_platforms_could_give_are_left_to_the_instructor() -> None:
    with pytest.raises(ValueError, match=r"canvas and timed .*Collector\.platform"):
        guess_platform(["mallory_20261001T123005Z_ada_1_2_x.ipynb"])
    with pytest.raises(ValueError, match="No platform"):
        guess_platform(["x.ipynb"])


@pytest.mark.parametrize(
    ("name", "same"),
    [("", True), ("-1", True), (" (2)", True), ("-2-3", True), (" copy", True), ("x", False), ("-final", False)],
)
def test_a_copys_name_is_known_by_its_end(name: str, same: bool) -> None:
    assert same_work(f"{WORK}{name}.ipynb", WORK) is same


# collecting


def test_the_latest_of_a_students_notebooks_counts_and_a_zip_of_their_own_is_opened(tmp_path: Path) -> None:
    archives, extracted = tmp_path / "archive", tmp_path / "extracted"
    archives.mkdir()
    extracted.mkdir()
    inner = pack(tmp_path / "inner.zip", (f"{WORK}.ipynb", b"zipped"), ("../../ada_1_9_x.ipynb", b"escaped"))
    pack(
        archives / "submissions.zip",
        (f"ada_1_10_{WORK}.ipynb", b"old"),
        (f"ada_1_11_{WORK}-1.ipynb", b"new"),
        ("ada_1_12_notes.ipynb", b"other"),
        ("ben_LATE_2_20_mywork.zip", inner.read_bytes()),
        ("cem_3_30_essay.pdf", b"%PDF"),
        ("stray.ipynb", b"?"),
    )
    problems = extract_all(archives, extracted, Limits())
    assert [each.code for each in problems] == ["refused-file"]
    chosen, problems = choose(extracted, WORK, {})
    contents = {arrival.student: path.read_bytes() for path, arrival in chosen.items()}
    assert contents == {"1": b"new", "2": b"zipped"}
    assert sorted(each.code for each in problems) == ["late-unknown", "missing-notebook", "no-owner"]


def test_times_come_from_tables_beside_the_archive(tmp_path: Path) -> None:
    (tmp_path / "times.csv").write_text("student,time\nada,2026-10-01T12:30:05+02:00\nben,\n", encoding="utf-8")
    (tmp_path / "moodle.csv").write_text(
        '\ufeffIdentifier,Full name,"Last modified (submission)"\n'
        'Participant 77,Cem,"Thursday, 1 October 2026, 2:05 PM"\nParticipant 78,Dora,-\n',
        encoding="utf-8",
    )
    (tmp_path / "students.csv").write_text("id,first_name\nada,Ada\n", encoding="utf-8")
    times = read_times(tmp_path)
    assert times == {
        "ada": datetime(2026, 10, 1, 10, 30, 5, tzinfo=UTC),
        "77": datetime(2026, 10, 1, 14, 5, tzinfo=UTC),
    }
    (tmp_path / "times.csv").write_text("student,time\nada,soon\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"times\.csv, row 2: 'soon'"):
        read_times(tmp_path)


def test_the_ledger_keeps_what_others_handed_in(tmp_path: Path) -> None:
    write_ledger(tmp_path, WORK, {"ada": Entry("2026-10-01T10:30:05+00:00"), "ben": Entry(late=True)})
    write_ledger(tmp_path, WORK, {"ben": Entry("2026-10-02T10:30:05+00:00")})
    ledger = read_ledger(tmp_path, WORK)
    assert ledger["ada"].time == datetime(2026, 10, 1, 10, 30, 5, tzinfo=UTC)
    assert not ledger["ben"].late
    (tmp_path / ".grading" / WORK / "arrivals.json").write_text("[1]", encoding="utf-8")
    with pytest.raises(ValueError, match="damaged"):
        read_ledger(tmp_path, WORK)


# notebooks


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"\xff\xfe{}", "not UTF-8"),
        (b"print('hello')", "not JSON"),
        (b"[" * 100_000, "nests too deeply|not JSON"),
        (b"[]", "no notebook"),
        (b'{"nbformat": 2, "cells": []}', "nbformat is 2"),
        (b'{"nbformat": 4}', "no list of cells"),
        (b'{"nbformat": 4, "cells": [1]}', "cell 0 is not a cell"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": 3}]}', "cell 0 has no text"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "evil", "source": ""}]}', "unknown type 'evil'"),
        (b'{"nbformat": ' + b"9" * 5000 + b"}", "nbformat is"),
        (json.dumps({"nbformat": 4, "cells": [{"cell_type": "raw"}] * 3000}).encode(), "3000 cells"),
    ],
)
def test_a_file_that_is_no_notebook_is_refused_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(BrokenNotebook, match=reason):
        parse(data)


def test_only_type_text_and_grade_id_of_a_cell_are_kept() -> None:
    cell = answer_cell("f", "half a pair: \\ud800", points=1e9)
    cell.metadata.update(tags=["<script>"], collapsed=True)
    cell.outputs = [nbformat.v4.new_output("stream", text="x" * 10**6)]
    data = handed_in(cell).replace(b"\\\\ud800", b"\\ud800")
    (kept,) = parse(data).cells
    assert kept.metadata == {"nbgrader": {"grade_id": "f"}}
    assert kept.outputs == []
    assert kept.source == "half a pair: ?"
    assert len(nbformat.writes(parse(data))) < 1000


def test_a_notebook_of_format_3_is_read() -> None:
    old = {
        "nbformat": 3,
        "worksheets": [
            {"cells": [{"cell_type": "heading", "source": "Hi"}, {"cell_type": "code", "input": ["a\n", "b"]}]}
        ],
    }
    cells = parse(json.dumps(old).encode()).cells
    assert [(cell.cell_type, cell.source) for cell in cells] == [("markdown", "Hi"), ("code", "a\nb")]


def test_repair_gives_each_cell_the_metadata_that_it_was_released_with(source: NotebookNode) -> None:
    forged = answer_cell("f", "f = 1", points=100.0, schema_version=1, grade=True, locked=True)
    notebook, problems = repair(parse(handed_in(forged, check_cell("f_test", "pass"))), source)
    assert [cell.metadata for cell in notebook.cells] == [cell.metadata for cell in source.cells]
    assert notebook.cells[0].source == "f = 1"
    assert problems == []
    MetadataValidator().validate_nb(notebook)
    nbformat.validate(notebook)


def test_copied_unknown_missing_and_retyped_cells_are_told_and_stop_nothing(source: NotebookNode) -> None:
    cells = [answer_cell("f", "first"), answer_cell("g", "mine"), answer_cell("f", "last")]
    cells[2].cell_type = "markdown"
    del cells[2]["outputs"], cells[2]["execution_count"]
    notebook, problems = repair(parse(handed_in(*cells)), source)
    assert [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in notebook.cells] == [None, None, "f"]
    assert notebook.cells[2].source == "last"
    assert [each.code for each in problems] == ["changed-type", "copied-cell", "missing-cell", "unknown-cell"]
    MetadataValidator().validate_nb(notebook)
    nbformat.validate(notebook)


# folders


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "course" / "submitted" / "ada" / WORK
    path.mkdir(parents=True)
    return path


def test_a_link_is_not_followed_and_the_neighbours_work_not_read(folder: Path, source: NotebookNode) -> None:
    secret = folder.parents[2] / "secret.ipynb"
    secret.write_bytes(handed_in(answer_cell("f", "the neighbour's answer")))
    (folder / f"{WORK}.ipynb").symlink_to(secret)
    received = receive(folder, WORK, source)
    assert not received.readable
    assert [each.code for each in received.problems] == ["refused-file", "missing-notebook"]
    assert "neighbour" not in nbformat.writes(received.notebook)


def test_a_pipe_is_not_opened(folder: Path, source: NotebookNode) -> None:
    os.mkfifo(folder / f"{WORK}.ipynb")  # reading it would wait for ever
    assert not receive(folder, WORK, source).readable
    assert tidy(folder, folder.parents[2])
    assert list(folder.iterdir()) == []


def test_a_single_notebook_counts_under_any_name_and_two_under_none(folder: Path, source: NotebookNode) -> None:
    (folder / "homework.ipynb").write_bytes(handed_in(answer_cell("f", "mine")))
    received = receive(folder, WORK, source)
    assert received.readable
    assert received.problems[0].code == "renamed"
    (folder / "other.ipynb").write_bytes(b"{}")
    assert "several" in receive(folder, WORK, source).problems[0].text
    (folder / f"{WORK}-1.ipynb").write_bytes(handed_in(answer_cell("f", "mine, later")))
    assert receive(folder, WORK, source).notebook.cells[0].source == "mine, later"


def test_what_cannot_be_read_still_becomes_a_notebook_that_says_why(folder: Path, source: NotebookNode) -> None:
    assert receive(folder, WORK, source).problems[0].code == "missing-notebook"
    (folder / f"{WORK}.ipynb").write_bytes(b"{'not': json}")
    received = receive(folder, WORK, source)
    assert received.problems[0].code == "broken-notebook"
    assert "not JSON" in received.notebook.cells[0].source
    nbformat.validate(received.notebook)


def test_the_students_own_time_never_counts(folder: Path) -> None:
    course = folder.parents[2]
    (folder / f"{WORK}.ipynb").write_bytes(handed_in())
    stamp = folder / "timestamp.txt"
    stamp.write_text("rubbish that stock nbgrader dies of", encoding="utf-8")
    assert [each.code for each in tidy(folder, course)] == ["own-time"]
    assert not stamp.exists()
    assert (course / ".grading" / WORK / "refused" / "ada" / "timestamp.txt").exists()
    write_ledger(course, WORK, {"ada": Entry("2026-10-01T14:30:05+02:00")})
    assert tidy(folder, course) == []
    assert stamp.read_text(encoding="utf-8") == "2026-10-01 12:30:05 UTC\n"
    stamp.write_text("2020-01-01 00:00:00 UTC", encoding="utf-8")
    assert [each.code for each in tidy(folder, course)] == ["own-time"]
    assert "2026" in stamp.read_text(encoding="utf-8")


def test_tidying_moves_aside_and_destroys_nothing(folder: Path) -> None:
    course = folder.parents[2]
    target = course / "mine.txt"
    target.write_text("mine", encoding="utf-8")
    (folder / "link").symlink_to(target)
    (folder / "linked").symlink_to(course, target_is_directory=True)
    (folder / f"{WORK}.ipynb").write_bytes(b"broken")
    tidy(folder, course)
    assert target.read_text(encoding="utf-8") == "mine"
    aside = course / ".grading" / WORK / "refused" / "ada"
    assert sorted(path.name for path in aside.iterdir()) == [f"{WORK}.ipynb", "link", "linked"]
    assert (aside / f"{WORK}.ipynb").read_bytes() == b"broken"
    assert "could not be read" in (folder / f"{WORK}.ipynb").read_text(encoding="utf-8")
