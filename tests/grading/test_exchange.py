"""What `nbgrader collect` takes from an exchange in which students write what they like."""

import getpass
import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from llmcourse.grading.intake.exchange import copy_plain, hand_ins
from llmcourse.grading.intake.limits import Limits

ME = getpass.getuser()
pytestmark = pytest.mark.skipif(os.name == "nt", reason="nbgrader has no exchange on Windows")


def put(inbound, student, when="2020-01-01 00:00:00 UTC"):
    folder = inbound / f"{student}+06-attention+{when}+secret"
    folder.mkdir(parents=True)
    (folder / "06-attention.ipynb").write_text("{}", encoding="utf-8")
    (folder / "timestamp.txt").write_text(when, encoding="utf-8")
    return folder


def test_a_folder_is_its_owners_and_was_handed_in_when_it_last_changed(tmp_path):
    before = datetime.fromtimestamp(int(time.time()), UTC)
    folder = put(tmp_path, ME, when="2020-01-01 00:00:00 UTC")
    os.utime(folder, (1, 1))  # a student can set these times, and writes any name and any timestamp.txt
    (found,) = hand_ins(tmp_path, "06-attention", [])
    assert (found.student, found.folder) == (ME, folder)
    assert found.time >= before


def test_what_is_not_its_names_is_refused_and_stops_nobody(tmp_path):
    mine = put(tmp_path, ME)
    put(tmp_path, "somebody-else")
    (tmp_path / f"{ME}+06-attention+x").symlink_to(mine)
    (tmp_path / "no plus signs").mkdir()
    (tmp_path / f"{ME}+08-training-loop+2020").mkdir()
    refused = []
    assert [found.folder for found in hand_ins(tmp_path, "06-attention", refused)] == [mine]
    assert len(refused) == 2
    assert any(f"belongs to {ME}, not to somebody-else" in line for line in refused)
    assert any("is not a folder" in line for line in refused)


def test_links_pipes_and_large_files_stay_behind(tmp_path):
    source, secret = tmp_path / "source", tmp_path / "secret"
    (source / "data").mkdir(parents=True)
    secret.write_text("gradebook", encoding="utf-8")
    (source / "work.ipynb").write_text("{}", encoding="utf-8")
    (source / "data" / "table.csv").write_text("1,2", encoding="utf-8")
    (source / "large.bin").write_bytes(b"x" * 2000)
    (source / "link.txt").symlink_to(secret)
    (source / "linked").symlink_to(tmp_path)
    os.mkfifo(source / "pipe")
    left = copy_plain(source, tmp_path / "target", Limits(file_bytes=1000))
    copied = sorted(str(p.relative_to(tmp_path / "target")) for p in (tmp_path / "target").rglob("*") if p.is_file())
    assert copied == [str(Path("data", "table.csv")), "work.ipynb"]
    assert len(left) == 4


def test_a_newer_copy_takes_the_place_of_the_older_one_whole(tmp_path):
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "a").write_text("new", encoding="utf-8")
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "b").write_text("old", encoding="utf-8")
    copy_plain(tmp_path / "source", tmp_path / "target", Limits())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source", "target"]
    assert [path.name for path in (tmp_path / "target").iterdir()] == ["a"]
