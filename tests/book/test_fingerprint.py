from pathlib import Path

import pytest

from llmcourse.book.fingerprint import execution_fingerprint, page_fingerprint


@pytest.fixture
def course(tmp_path: Path) -> Path:
    for name in (
        "llmcourse/model/a.py",
        "llmcourse/hub/b.safetensors",
        "llmcourse/book/c.py",
        "_config.yml",
        "_toc.yml",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (tmp_path / "requirements.lock").write_text("torch==1")
    return tmp_path


@pytest.mark.parametrize("name", ["llmcourse/model/a.py", "llmcourse/hub/b.safetensors", "requirements.lock"])
def test_a_change_that_outputs_may_show_changes_both_hashes(course: Path, name: str) -> None:
    before = execution_fingerprint(course), page_fingerprint(course)
    (course / name).write_text("changed")
    after = execution_fingerprint(course), page_fingerprint(course)
    assert before[0] != after[0]
    assert before[1] != after[1]


@pytest.mark.parametrize("name", ["llmcourse/book/c.py", "_config.yml", "_toc.yml"])
def test_a_change_of_looks_runs_no_chapter_but_writes_every_page(course: Path, name: str) -> None:
    before = execution_fingerprint(course), page_fingerprint(course)
    (course / name).write_text("changed")
    assert execution_fingerprint(course) == before[0]
    assert page_fingerprint(course) != before[1]


def test_a_renamed_or_new_file_changes_the_hash_and_compiled_files_do_not(course: Path) -> None:
    before = execution_fingerprint(course)
    compiled = course / "llmcourse" / "model" / "__pycache__" / "a.pyc"
    compiled.parent.mkdir()
    compiled.write_bytes(b"1")
    assert execution_fingerprint(course) == before
    (course / "llmcourse" / "model" / "a.py").rename(course / "llmcourse" / "model" / "b.py")
    renamed = execution_fingerprint(course)
    assert renamed != before
    (course / "llmcourse" / "model" / "empty.py").touch()
    assert execution_fingerprint(course) != renamed


def test_one_file_that_spells_out_two_is_not_taken_for_them(course: Path) -> None:
    one, other = course / "llmcourse" / "model" / "a.py", course / "llmcourse" / "model" / "b.py"
    one.write_text("1")
    other.write_text("2")
    before = execution_fingerprint(course)
    other.unlink()
    one.write_text("1llmcourse/model/b.py\0" + "2")
    assert execution_fingerprint(course) != before
