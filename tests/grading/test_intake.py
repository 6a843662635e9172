"""Intake: whatever a student hands in becomes a plain notebook, or a line that says why not; nothing escapes."""

import json
import os
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbgrader.nbgraderformat import MetadataValidator

from llmcourse.grading.intake import parse, receive, repair
from llmcourse.grading.intake.ledger import Entry, write_ledger
from llmcourse.grading.intake.notebooks import BrokenNotebook
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
    assert [each.code for each in tidy(folder, folder.parents[2])] == ["refused-file", "missing-notebook"]
    (left,) = folder.iterdir()
    assert left.is_file()
    assert "could not be read" in left.read_text(encoding="utf-8")


def test_a_folder_that_is_a_link_makes_room_for_a_plain_one_and_its_target_stays_as_it_was(folder: Path) -> None:
    neighbour = folder.parents[1] / "ben" / WORK
    neighbour.mkdir(parents=True)
    (neighbour / f"{WORK}.ipynb").mkdir()  # a folder of a notebook's name goes too, but not in somebody else's
    folder.rmdir()
    folder.symlink_to(neighbour, target_is_directory=True)
    assert [each.code for each in tidy(folder, folder.parents[2])] == ["refused-file", "missing-notebook"]
    assert not folder.is_symlink()
    assert (neighbour / f"{WORK}.ipynb").is_dir()
    assert [each.code for each in tidy(neighbour, folder.parents[2])] == ["missing-notebook"]
    assert (neighbour / f"{WORK}.ipynb").is_file()


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


@pytest.mark.parametrize(
    "change",
    [
        b'"source": "half a pair \\ud800"',
        b'"source": "", "id": "not <b> an id"',
        b'"source": "", "metadata": [1]',
        b'"source": "", "outputs": 7',
        b'"source": "", "outputs": [{"output_type": "none"}]',
    ],
)
def test_a_notebook_that_only_this_course_can_read_is_written_anew_for_nbgrader(folder: Path, change: bytes) -> None:
    data = b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "code", %s}]}' % change
    path = folder / f"{WORK}.ipynb"
    path.write_bytes(data)
    assert [each.code for each in tidy(folder, folder.parents[2])] == ["rewritten"]
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert [cell.source for cell in notebook.cells] == [cell.source for cell in parse(data).cells]
    assert (folder.parents[2] / ".grading" / WORK / "refused" / "ada" / path.name).read_bytes() == data
    assert tidy(folder, folder.parents[2]) == []


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
