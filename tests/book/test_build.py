"""A book of two chapters, built in a scratch folder as `make book` builds the real one."""

import re
import shutil
from pathlib import Path

import pytest

from tests.book.fixtures import run_build

pytestmark = [pytest.mark.slow, pytest.mark.book]

HEAD = """---
jupytext: {text_representation: {extension: .md, format_name: myst}}
kernelspec: {display_name: Python 3, language: python, name: python3}
---
"""
# a chapter that prints something of the package, so that a stale output shows
FIRST = HEAD + (
    "# 1 First\n\n```{code-cell} python3\nfrom pathlib import Path\n"
    'print("value:", Path("../llmcourse/value.txt").read_text())\n```\n\n'
    "$$ \\frac{a}{b} $$ (eq-one)\n\nSee {eq}`eq-one`.\n"
)
SECOND = HEAD + "# 2 Second\n\n```{code-cell} python3\nprint(6 * 7)\n```\n"


@pytest.fixture
def course(tmp_path: Path, root: Path) -> Path:
    for name in ("_config.yml", "requirements.lock"):
        shutil.copyfile(root / name, tmp_path / name)
    shutil.copytree(root / "chapters" / "images", tmp_path / "chapters" / "images")
    (tmp_path / "references.bib").write_text("")
    (tmp_path / "llmcourse" / "book").mkdir(parents=True)
    (tmp_path / "llmcourse" / "value.txt").write_text("before")
    files = "\n".join(f"  - file: chapters/{name}" for name in ("01-first", "02-second"))
    (tmp_path / "_toc.yml").write_text(f"format: jb-book\nroot: index\nparts:\n- caption: P\n  chapters:\n{files}\n")
    (tmp_path / "index.md").write_text("# Start\n\nHello.\n")
    (tmp_path / "chapters" / "01-first.md").write_text(FIRST)
    (tmp_path / "chapters" / "02-second.md").write_text(SECOND)
    return tmp_path


def ran(output: str) -> set[str]:
    return set(re.findall(r"^  (\S+): done in", output, re.MULTILINE))


def page(course: Path, name: str) -> str:
    return (course / "_build" / "html" / "chapters" / f"{name}.html").read_text()


def test_only_what_changed_runs_again_and_nothing_stale_survives(course: Path) -> None:
    first = run_build(course)
    assert first.returncode == 0, first.stderr
    assert ran(first.stdout) == {"01-first", "02-second"}
    assert str(course / "_build" / "html" / "index.html") in first.stdout
    assert "value: before" in page(course, "01-first")
    assert "(1.1)" in page(course, "01-first")

    again = run_build(course)
    assert again.returncode == 0, again.stderr
    assert ran(again.stdout) == set()

    (course / "chapters" / "02-second.md").write_text(SECOND.replace("6 * 7", "6 * 8") + "\nNew prose.\n")
    changed = run_build(course)
    assert ran(changed.stdout) == {"02-second"}
    assert "48" in page(course, "02-second")
    assert "New prose." in page(course, "02-second")

    (course / "llmcourse" / "value.txt").write_text("after")
    everything = run_build(course)
    assert everything.returncode == 0, everything.stderr
    assert ran(everything.stdout) == {"01-first", "02-second"}
    assert "value: after" in page(course, "01-first")


def test_a_failing_cell_stops_the_build_and_shows_chapter_and_error(course: Path) -> None:
    (course / "chapters" / "02-second.md").write_text(SECOND.replace("6 * 7", "undefined_name"))
    failed = run_build(course)
    assert failed.returncode == 1
    assert "chapters/02-second.md failed:" in failed.stderr
    assert "NameError: name 'undefined_name' is not defined" in failed.stderr
    assert "\x1b[" not in failed.stderr
    assert not (course / "_build" / "html" / "index.html").exists()


WARNINGS = {
    "an image without alt text": ("![](images/favicon.svg)", "has no alt text"),
    "mathematics that cannot be shown": (r"$\nosuchcommand$", "no MathML is known"),
    "a reference to nothing": ("{ref}`ch-nowhere`", "ch-nowhere"),
    "a citation of nothing": ("{cite}`nobody1900`", "nobody1900"),
}


def test_warnings_fail_the_build_and_fail_it_again(course: Path) -> None:
    added = "\n\n".join(text for text, _ in WARNINGS.values())
    noisy = "```{code-cell} python3\nimport sys\nprint('oops', file=sys.stderr)\n```"
    (course / "chapters" / "02-second.md").write_text(f"{SECOND}\n{added}\n\n{noisy}\n")
    for _ in range(2):  # the second build finds the page unchanged, and must not pass for that
        failed = run_build(course)
        assert failed.returncode == 1
        for complaint in [*(complaint for _, complaint in WARNINGS.values()), "stderr"]:
            assert complaint in failed.stderr, complaint
    (course / "chapters" / "02-second.md").write_text(SECOND)
    assert run_build(course).returncode == 0


def test_a_table_of_contents_with_a_missing_page_gives_one_line(course: Path) -> None:
    (course / "chapters" / "02-second.md").unlink()
    failed = run_build(course)
    assert failed.returncode == 1
    assert failed.stderr.strip() == "_toc.yml names chapters/02-second.md, which does not exist."
