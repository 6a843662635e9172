"""Markdown that a student wrote is shown in feedback, and can do nothing there."""

import re
from pathlib import Path

import nbformat
import nbgrader
import pytest
from nbconvert.exporters import HTMLExporter
from nbformat import NotebookNode
from traitlets.config import PyFileConfigLoader

from llmcourse.grading.feedback import LEFT_OUT, HideTests, SafePictures, harmless_html
from tests.grading.classes import cell


@pytest.mark.parametrize(
    "source",
    [
        "<script>run()</script>",
        "<img src=x onerror=run()>",
        "<svg onload=run()></svg>",
        "<iframe src='https://example.org'></iframe>",
        "[link](javascript:run())",
        "<a href='data:text/html,run()'>link</a>",
        "<a href=' DATA:text/html,run()'>link</a>",
        "<form action='https://example.org'><input></form>",
        "<style>body { display: none }</style>",
        "<p style='position: fixed'>over everything</p>",
    ],
)
def test_nothing_that_runs_or_covers_the_page_is_left(source: str) -> None:
    html = harmless_html(source)
    for tag in ("<script", "<svg", "<iframe", "<form", "<input", "<style", "onerror=", "style=", "href="):
        assert tag not in html, html


def test_prose_mathematics_tables_and_code_come_through() -> None:
    html = harmless_html(
        "## Why\n\n*Because* $a_1 < b$ in `x < 3`.\n\n| a |\n|---|\n| 1 |\n\n[more](https://example.org)"
    )
    assert "Why" in html
    assert "<em>Because</em> $a_1 &lt; b$" in html
    assert "<code>x &lt; 3</code>" in html
    assert "<td>1</td>" in html
    assert '<a href="https://example.org">more</a>' in html


# hidden tests

SECRET = "assert area(3) == secret_answer(17)"
TEST = f"assert area(1) == 1\n### BEGIN HIDDEN TESTS\n{SECRET}\n### END HIDDEN TESTS\ncheck(area)"


def error(name: str, value: str, *trace: str) -> NotebookNode:
    return nbformat.v4.new_output("error", ename=name, evalue=value, traceback=list(trace))


def shown(source: str, *outputs: NotebookNode, **info: object) -> NotebookNode:
    made = cell("area_test", source, **{"grade": True, "locked": True, **info})
    made.outputs = list(outputs)
    after, _ = HideTests().preprocess_cell(made, {}, 0)
    return after


def test_a_hidden_test_and_its_traceback_are_not_shown() -> None:
    trace = f"\x1b[31mAssertionError\x1b[0m line 3\n----> 3 {SECRET}"
    after = shown(TEST, error("AssertionError", "", trace), error("ValueError", f"in {SECRET}", trace))
    assert after.source == "assert area(1) == 1\ncheck(area)"
    assert after.outputs[0].traceback == ["AssertionError"]
    assert after.outputs[1].traceback == [f"ValueError: {LEFT_OUT}"]
    assert "secret_answer" not in nbformat.writes(nbformat.v4.new_notebook(cells=[after]))


def test_what_is_said_while_a_hidden_test_runs_is_left_out() -> None:
    stream = nbformat.v4.new_output("stream", text="the inputs are 3 and 8\n")
    value = nbformat.v4.new_output("execute_result", data={"text/plain": "'3 and 8'"})
    assert shown(TEST, stream, value).outputs == []
    assert shown("check(area)", stream, value).outputs == [stream, value]  # nothing is hidden here


def test_an_errors_own_words_are_not_those_of_a_hidden_test() -> None:
    said = "area stopped with ValueError: 3 and 8 (line 2 of your code). [area.raises]"
    trace = ["Check failed: area stopped with ValueError: 3 and 8 (line 2 of", "your code).", "(code: area.raises)"]
    (left,) = shown(TEST, error("CheckFailed", said, *trace)).outputs
    assert left.evalue == "area stopped with ValueError [area.raises]"
    assert left.traceback == ["CheckFailed: area stopped with ValueError [area.raises]"]
    (kept,) = shown("check(area)", error("CheckFailed", said, *trace)).outputs
    assert (kept.evalue, kept.traceback) == (said, trace)


def test_a_message_that_teaches_is_kept() -> None:
    lines = ["Check failed: Row 2 reads position 5. Is the mask applied before the softmax?", "(code: area.leak)"]
    after = shown(TEST, error("CheckFailed", "Row 2 reads position 5. [area.leak]", *lines))
    assert after.outputs[0].traceback == lines


def test_a_region_without_an_end_hides_the_rest() -> None:
    assert shown(f"check(area)\n### BEGIN HIDDEN TESTS\n{SECRET}").source == "check(area)"


def test_marks_in_a_students_own_cell_stop_nothing_and_hide_nothing() -> None:
    own = "### BEGIN HIDDEN TESTS\nmine = 1"
    assert shown(own, grade=False, locked=False, solution=True).source == own
    plain = nbformat.v4.new_code_cell(own)
    assert HideTests().preprocess_cell(plain, {}, 0)[0].source == own


def test_pictures_stay_and_what_only_claims_to_be_one_goes() -> None:
    good, bad = "iVBORw0KGgo=\n", '" onerror="alert(1)'
    output = nbformat.v4.new_output("display_data", data={"image/png": good, "image/jpeg": bad, "text/plain": "a plot"})
    words = nbformat.v4.new_markdown_cell("![](a)", attachments={"a": {"image/png": good}, "b": {"image/png": bad}})
    code = nbformat.v4.new_code_cell("", outputs=[output])
    after, _ = SafePictures().preprocess(nbformat.v4.new_notebook(cells=[code, words]), {})
    assert after.cells[0].outputs[0].data == {"image/png": good, "text/plain": "a plot"}
    assert after.cells[1].attachments == {
        "a": {"image/png": good},
        "b": {"text/plain": "(a picture that cannot be shown)"},
    }


# what formgrader and feedback make of a hostile notebook

EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)><svg onload=alert(1)></svg>"


def hostile() -> NotebookNode:
    code = cell("area", f"'{EVIL}'", solution=True, grade=True, points=1, comment=EVIL, score=0)
    kinds = ("text/html", "image/svg+xml", "text/markdown", "text/latex", "application/javascript", "text/plain")
    code.outputs = [nbformat.v4.new_output("display_data", data={kind: EVIL}) for kind in kinds]
    code.outputs += [error(EVIL, EVIL, EVIL), nbformat.v4.new_output("stream", text=EVIL)]
    picture = nbformat.v4.new_output("display_data", data={"image/png": '" onerror="alert(1)'})
    words = nbformat.v4.new_markdown_cell(EVIL, attachments={EVIL: {"image/png": EVIL}})
    return nbformat.v4.new_notebook(cells=[code, nbformat.v4.new_code_cell(EVIL, outputs=[picture]), words])


@pytest.mark.parametrize("template", ["formgrade", "feedback"])
def test_nothing_of_a_hostile_notebook_runs_in_the_pages_of_nbgrader(root: Path, template: str) -> None:
    config = PyFileConfigLoader("nbgrader_config.py", str(root)).load_config()
    config.HTMLExporter.template_name = template
    static = Path(nbgrader.__file__).parent / "server_extensions" / "formgrader"
    config.HTMLExporter.extra_template_basedirs = [str(static / "templates")]
    config.HTMLExporter.extra_template_paths = [str(static / "static" / "node_modules" / "bootstrap" / "dist" / "css")]
    about = {"notebook": "area", "score": 0, "max_score": 1, "late_penalty": 0}
    names = ("notebook_id", "assignment_id", "submission_id", "student", "first_name", "last_name", "notebook_path")
    resources = {"nbgrader": about, "index": 0, "total": 1, "base_url": "", **dict.fromkeys(names, "area")}
    page, _ = HTMLExporter(config=config).from_notebook_node(hostile(), resources=resources)
    assert "alert(1)" in page
    assert "<script>alert" not in page
    assert not re.search(r"<(img|svg)[^>]*\son\w+\s*=", page)
