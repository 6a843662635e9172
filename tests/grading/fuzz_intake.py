"""Hostile bytes for intake, drawn by hypothesis: 1,000 cases in CI, as many as you like by hand.

`python -m tests.grading.fuzz_intake --cases 10000 --seed 7 --log FILE` runs long and notes the seed. Each case
builds an archive or a folder in a scratch folder beside a file that must stay as it is, and takes it in.
"""

import argparse
import io
import json
import os
import shutil
import stat
import sys
import tempfile
import time
import warnings
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

import nbformat
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from nbformat import NotebookNode
from nbgrader.nbgraderformat import MetadataValidator

from llmcourse.grading.intake import BrokenNotebook, Limits, parse, receive, repair
from llmcourse.grading.intake.collect import choose, extract_all
from llmcourse.grading.intake.plugins import tidy
from llmcourse.grading.schedule.beside import put_beside

WORK = "06-attention"
LIMITS = Limits(file_bytes=20_000, total_bytes=60_000, files=30, folder_files=10, cells=20, source_chars=5_000)
CANARY = b"untouched"

IDS = st.sampled_from(["f", "f_test", "g", "", "../f", "\ud800", "f" * 500])
TEXT = st.one_of(
    st.text(max_size=40), st.sampled_from(["\ud800", "### BEGIN HIDDEN TESTS", "<script>", "%%bash\nid", "\0"])
)
JUNK = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXT, st.just(10**400)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=8,
)
INFO = st.fixed_dictionaries(
    {},
    optional={
        "grade_id": st.one_of(IDS, JUNK),
        "grade": st.one_of(st.booleans(), JUNK),
        "solution": st.one_of(st.booleans(), JUNK),
        "locked": JUNK,
        "points": JUNK,
        "schema_version": st.one_of(st.integers(-1, 5), JUNK),
    },
)
CELL = st.fixed_dictionaries(
    {"cell_type": st.one_of(st.sampled_from(["code", "markdown", "raw", "heading"]), JUNK)},
    optional={
        "source": st.one_of(TEXT, st.lists(TEXT, max_size=3), JUNK),
        "input": JUNK,
        "metadata": st.one_of(st.fixed_dictionaries({"nbgrader": st.one_of(INFO, JUNK)}), JUNK),
        "outputs": JUNK,
        "id": JUNK,
        "attachments": JUNK,
    },
)
NOTEBOOK = st.fixed_dictionaries(
    {"nbformat": st.one_of(st.sampled_from([4, 4, 4, 3]), JUNK)},
    optional={
        "cells": st.one_of(st.lists(CELL, max_size=6), st.lists(CELL, max_size=6), JUNK),
        "worksheets": st.one_of(
            st.lists(st.fixed_dictionaries({"cells": st.lists(CELL, max_size=3)}), max_size=2), JUNK
        ),
        "metadata": JUNK,
        "nbformat_minor": JUNK,
    },
)
FILE = st.one_of(
    NOTEBOOK.map(lambda document: json.dumps(document).encode("utf-8", "surrogatepass")),
    st.binary(max_size=200),
    st.integers(1, 400).map(lambda depth: b'{"nbformat":4,"cells":' + b"[" * depth * 50),
    st.integers(15_000, 40_000).map(lambda size: b" " * size),
)
PART = st.one_of(
    st.sampled_from(["..", ".", "", "a", "A", "nul", "CON.ipynb", f"{WORK}.ipynb", f"{WORK}-1.ipynb", "timestamp.txt"]),
    st.sampled_from(["ada_1_2_x.ipynb", "Ada_1_assignsubmission_file_", "ada_20261001T123005Z_x.ipynb", "C:", "~"]),
    st.text(max_size=12),
)
NAME = st.tuples(st.sampled_from(["", "/", "\\", "C:\\", "//", "../", "ada_1_2_"]), st.lists(PART, max_size=4)).map(
    lambda made: made[0] + "/".join(made[1])
)
KIND = st.sampled_from([0, 0, 0, stat.S_IFREG, stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFDIR])
ENTRY = st.tuples(NAME, KIND, FILE)
FLIPS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=4)


def source() -> NotebookNode:
    """An instructor's notebook of one answer, one test and one question in words."""
    common = {"schema_version": 3, "locked": False, "task": False}
    cells = [
        nbformat.v4.new_code_cell(
            "f = 1", metadata={"nbgrader": {**common, "grade_id": "f", "grade": False, "solution": True}}
        ),
        nbformat.v4.new_code_cell(
            "assert f",
            metadata={"nbgrader": {**common, "grade_id": "f_test", "grade": True, "solution": False, "points": 1}},
        ),
        nbformat.v4.new_markdown_cell(
            "Why?", metadata={"nbgrader": {**common, "grade_id": "g", "grade": True, "solution": True, "points": 1}}
        ),
    ]
    return nbformat.v4.new_notebook(cells=cells)


def check_notebook(data: bytes) -> None:
    """A notebook comes out that nbformat and nbgrader accept and that can be written, or a BrokenNotebook."""
    try:
        notebook = parse(data, LIMITS)
    except BrokenNotebook:
        return
    fixed, _ = repair(notebook, source())
    nbformat.validate(fixed)
    MetadataValidator().validate_nb(fixed)
    nbformat.writes(fixed).encode("utf-8")


def check_archive(entries: list[tuple[str, int, bytes]], flips: list[tuple[float, int]]) -> None:
    """Whatever the archive holds, all that is written lies below one folder, within the limits."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of names that are there already, and mean to be
        for name, kind, content in entries:
            info = zipfile.ZipInfo("x")
            info.filename, info.external_attr = name.encode("utf-8", "replace").decode(), kind << 16
            archive.writestr(info, content)
    data = bytearray(packed.getvalue())
    for place, value in flips:
        if data:
            data[int(place * (len(data) - 1))] = value
    with Fenced() as inside:
        (inside / "archive").mkdir()
        (inside / "extracted").mkdir()
        (inside / "archive" / "a.zip").write_bytes(data)
        extract_all(inside / "archive", inside / "extracted", LIMITS)
        size = sum(path.lstat().st_size for path in (inside / "extracted").rglob("*") if path.is_file())
        assert size <= LIMITS.total_bytes + 30 * 2 * LIMITS.file_bytes
        for platform in ("canvas", "moodle", "timed"):
            for path, arrival in choose(inside / "extracted", WORK, {}, platform)[0].items():
                assert path.is_relative_to(inside / "extracted")
                assert "/" not in arrival.student
                assert not arrival.student.startswith(".")


def check_folder(entries: list[tuple[str, int, bytes]]) -> None:
    """Whatever lies in a submission's folder, a notebook comes out, and tidying leaves only plain files."""
    with Fenced() as inside:
        folder = inside / "submitted" / "ada" / WORK
        folder.mkdir(parents=True)
        for number, (name, kind, content) in enumerate(entries):
            place(folder, name.rsplit("/", 1)[-1].rsplit("\\", 1)[-1] or f"file{number}", kind, content, inside)
        received = receive(folder, WORK, source(), LIMITS)
        nbformat.validate(received.notebook)
        assert received.readable is (len(received.notebook.cells) != 1 or received.notebook.cells[0].id != "intake")
        own = {PurePosixPath(path.relative_to(folder).as_posix()): path for path in received.others}
        put_beside(inside / "graded", {}, own, limits=LIMITS)
        assert all(stat.S_ISREG(path.lstat().st_mode) for path in (inside / "graded").rglob("*"))
        tidy(folder, inside, LIMITS)
        assert all(stat.S_ISREG(path.lstat().st_mode) for path in folder.rglob("*"))
        assert not (folder / "timestamp.txt").exists()
        work = folder / f"{WORK}.ipynb"
        assert parse(work.read_bytes(), LIMITS)
        if received.readable:
            assert receive(folder, WORK, source(), LIMITS).notebook == received.notebook


def place(folder: Path, name: str, kind: int, content: bytes, inside: Path) -> None:
    """Make a file, a link or a pipe; a name that this file system does not take is passed over."""
    try:
        path = folder / name
        if os.path.lexists(path):
            return  # writing would go through a link, or wait at a pipe
        if kind == stat.S_IFLNK:
            path.symlink_to([inside.parent / "canary", inside.parent, folder, "missing"][len(content) % 4])
        elif kind == stat.S_IFIFO and hasattr(os, "mkfifo"):
            os.mkfifo(path)
        else:
            path.write_bytes(content)
    except (OSError, ValueError):
        pass


class Fenced:
    """A scratch folder beside a file that must be there, alone and unchanged, at the end."""

    def __enter__(self) -> Path:
        self.outside = Path(tempfile.mkdtemp())
        (self.outside / "canary").write_bytes(CANARY)
        (self.outside / "inside").mkdir()
        return self.outside / "inside"

    def __exit__(self, *_: Any) -> None:
        try:
            assert sorted(path.name for path in self.outside.iterdir()) == ["canary", "inside"]
            assert (self.outside / "canary").read_bytes() == CANARY
        finally:
            shutil.rmtree(self.outside)


CHECKS = {
    "notebook": given(FILE)(check_notebook),
    "archive": given(st.lists(ENTRY, max_size=6), FLIPS)(check_archive),
    "folder": given(st.lists(ENTRY, max_size=5))(check_folder),
}
SHARES = {"notebook": 0.4, "archive": 0.3, "folder": 0.3}


def run(name: str, cases: int, start: int) -> None:
    """Draw this many cases of one check from one seed; hypothesis raises at the first that fails, made small."""
    options = settings(
        max_examples=cases,
        deadline=5_000,  # milliseconds: a case that hangs fails
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    seed(start)(options(CHECKS[name]))()


def main() -> None:
    """Run long, and keep the seed and the count."""
    options = argparse.ArgumentParser()
    options.add_argument("--cases", type=int, default=10_000)
    options.add_argument("--seed", type=int, default=7)
    options.add_argument("--log", type=Path)
    chosen = options.parse_args()
    lines = [f"seed {chosen.seed}, {chosen.cases} cases, Python {sys.version.split()[0]}"]
    for name, share in SHARES.items():
        begin = time.perf_counter()
        cases = round(chosen.cases * share)
        run(name, cases, chosen.seed)
        lines.append(f"{name}: {cases} cases, none failed, {time.perf_counter() - begin:.0f} s")
        print(lines[-1], flush=True)
    if chosen.log:
        chosen.log.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
