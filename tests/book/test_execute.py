import os
from pathlib import Path

import pytest

from llmcourse.book.build import KEPT_CACHES, prune_caches
from llmcourse.book.execute import changed_environment, execute_missing, read_chapter

HEAD = """---
jupytext: {text_representation: {extension: .md, format_name: myst}}
kernelspec: {display_name: Python 3, language: python, name: python3}
---
# A
"""


def write(path: Path, code: str) -> Path:
    path.write_text(f"{HEAD}\n```{{code-cell}} python3\n:tags: [hide-input]\n{code}\n```\n")
    return path


def test_a_page_without_the_notebook_header_is_no_notebook(tmp_path: Path) -> None:
    (tmp_path / "index.md").write_text("# Start\n")
    assert read_chapter(tmp_path / "index.md") is None


@pytest.mark.slow
def test_a_chapter_runs_once_and_is_then_found_in_the_cache(tmp_path: Path) -> None:
    page = write(tmp_path / "a.md", "print(1)")
    lines: list[str] = []
    (first,) = execute_missing([page], tmp_path / "cache", report=lines.append)
    assert (first.path, first.traceback) == (page, "")
    assert execute_missing([page], tmp_path / "cache", report=lines.append) == []
    page.write_text(page.read_text() + "\nMore prose.\n")
    assert execute_missing([page], tmp_path / "cache") == [], "prose is no part of the key"


@pytest.mark.slow
def test_a_failure_and_an_endless_cell_are_reported_and_not_cached(tmp_path: Path) -> None:
    pages = [write(tmp_path / "a.md", "1 / 0"), write(tmp_path / "b.md", "while True: pass")]
    outcomes = {outcome.path.stem: outcome.traceback for outcome in execute_missing(pages, tmp_path / "c", timeout=2)}
    assert "ZeroDivisionError" in outcomes["a"]
    assert "longer than 2 s" in outcomes["b"]
    assert len(execute_missing(pages[:1], tmp_path / "c")) == 1


@pytest.mark.slow
def test_a_kernel_that_dies_is_reported(tmp_path: Path) -> None:
    page = write(tmp_path / "a.md", "import os; os.write(2, b'last words'); os._exit(3)")
    (outcome,) = execute_missing([page], tmp_path / "cache")
    assert "died" in outcome.traceback


def test_the_environment_is_put_back_even_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMCOURSE_KEPT", "old")

    def fail_inside() -> None:
        with changed_environment({"LLMCOURSE_KEPT": "new", "LLMCOURSE_NEW": "1"}):
            raise RuntimeError(os.environ["LLMCOURSE_KEPT"])

    with pytest.raises(RuntimeError, match="new"):
        fail_inside()
    assert os.environ["LLMCOURSE_KEPT"] == "old"
    assert "LLMCOURSE_NEW" not in os.environ


def test_old_caches_go_and_the_current_one_stays(tmp_path: Path) -> None:
    for age in range(6):
        (tmp_path / f"old{age}").mkdir()
        os.utime(tmp_path / f"old{age}", (1000 - age, 1000 - age))
    prune_caches(tmp_path / "current")
    kept = {path.name for path in tmp_path.iterdir()}
    assert kept == {"current", *(f"old{age}" for age in range(KEPT_CACHES - 1))}
