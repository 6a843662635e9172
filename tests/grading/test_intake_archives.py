"""Archives and the names in them: plain files below one folder, each with its owner, and nothing that leads out."""

import os
import stat
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from llmcourse.grading.intake import Limits, guess_platform, read_name, unpack
from llmcourse.grading.intake.collect import choose, extract_all
from llmcourse.grading.intake.ledger import Entry, read_ledger, read_times, write_ledger
from llmcourse.grading.intake.paths import safe_parts
from llmcourse.grading.intake.platforms import same_work

WORK = "06-attention"


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
