"""A scratch folder goes whatever is in it, and what it holds is counted."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from llmcourse.grading.sandbox.clearing import clear, used_bytes


def dig(folder: Path, depth: int) -> None:
    """Folders in folders, deeper than a path can say."""
    here = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d" * 100, dir_fd=here)
        inner = os.open("d" * 100, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(os.open("note", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)


def test_a_folder_goes_with_all_that_is_in_it(tmp_path: Path) -> None:
    folder, outside = tmp_path / "scratch", tmp_path / "outside"
    for path in (folder / "a" / "b" / "c", folder / "empty", outside):
        path.mkdir(parents=True)
    (outside / "kept.txt").write_text("mine", encoding="utf-8")
    for path in (folder / "one.txt", folder / "a" / "two.txt", folder / "a" / "b" / "c" / "three.txt"):
        path.write_text("x", encoding="utf-8")
    if sys.platform != "win32":
        (folder / "link").symlink_to(outside)
        (folder / "a" / "link").symlink_to(outside / "kept.txt")
        (folder / "a" / "b").chmod(0)
    assert clear(folder)
    assert not folder.exists()
    assert (outside / "kept.txt").read_text(encoding="utf-8") == "mine"


def test_a_folder_that_is_not_there_is_gone(tmp_path: Path) -> None:
    assert clear(tmp_path / "never")


@pytest.mark.slow
@pytest.mark.skipif("not hasattr(os, 'O_DIRECTORY')", reason="Windows has no such paths")
def test_a_tree_that_is_deeper_than_recursion_goes_as_well(tmp_path: Path) -> None:
    folder = tmp_path / "scratch"
    folder.mkdir()
    dig(folder, 1500)
    if sys.version_info < (3, 13):  # until then the standard library does not get out of it
        with pytest.raises((RecursionError, OSError)):
            shutil.rmtree(folder)
    assert clear(folder)


def test_used_bytes_count_files_and_stop_early(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "a").write_bytes(os.urandom(100_000))
    (tmp_path / "b").write_bytes(os.urandom(50_000))
    assert 150_000 <= used_bytes(tmp_path, 10**9) <= 250_000
    for number in range(100):
        (tmp_path / f"empty-{number}").touch()
    assert used_bytes(tmp_path, 10**9) >= 100 * 4096 + 150_000
    assert 10_000 < used_bytes(tmp_path, 10_000) < 10**9
