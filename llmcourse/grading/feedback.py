"""Feedback pages that are safe to open, and that keep the hidden tests: what a student wrote is shown, and never run.

nbgrader's template puts Markdown cells into the page as they come; `HTMLExporter.sanitize_html` cleans outputs only.
"""

import re
from typing import Any

import bleach
from nbconvert.filters import markdown2html
from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import List

TAGS = {
    *("a", "abbr", "b", "blockquote", "br", "code", "dd", "del", "div", "dl", "dt", "em", "hr", "i", "img", "li", "ol"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "p", "pre", "s", "span", "strong", "sub", "sup", "ul"),
    *("table", "tbody", "td", "th", "thead", "tr"),
}


def _is_link(tag: str, name: str, value: str) -> bool:
    # a picture may be part of the page, but a link must not open a page that it brings along
    return name == "href" and not value.strip().lower().startswith("data:")


ATTRIBUTES = {"*": ["class", "id", "title"], "a": _is_link, "img": ["src", "alt", "width", "height"]}


def harmless_html(source: str) -> str:
    """Markdown as HTML in which only text, tables, links and pictures are left; other tags show as text."""
    return bleach.clean(markdown2html(source), TAGS, ATTRIBUTES, protocols=["http", "https", "mailto", "data"])


HIDDEN = re.compile(
    r"^[^\n]*BEGIN HIDDEN TESTS[^\n]*\n?(.*?)(?:^[^\n]*END HIDDEN TESTS[^\n]*$\n?|\Z)", re.DOTALL | re.MULTILINE
)
BASE64 = re.compile(r"[A-Za-z0-9+/\s]*={0,2}\s*")
ANSI = re.compile(r"\x1b\[[0-9;]*m")
TEACHES = ("CheckFailed", "CellTimeoutError", "SubmissionStopped")  # whose traceback is a message, without any source
SAID = re.compile(r"( stopped with \w+): .*(\[[\w.-]+\])", re.DOTALL)  # an error's own words, in a check's message
LEFT_OUT = "(left out: it shows a hidden test)"


class SafePictures(NbGraderPreprocessor):
    """Drops pictures that are no base64: nbconvert writes them into the page as they are, quotes and all."""

    display_data_priority: List[Any] = List(config=True)  # the exporter sets it for all of its preprocessors

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], cell_index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """One cell with sound pictures alone. Called for every page of feedback and formgrader."""
        bundles = [output.data for output in cell.get("outputs", []) if "data" in output]
        for bundle in [*bundles, *cell.get("attachments", {}).values()]:
            for kind in [each for each in bundle if each.startswith("image/") and each != "image/svg+xml"]:
                if not isinstance(bundle[kind], str) or not BASE64.fullmatch(bundle[kind]):
                    del bundle[kind]
                    bundle.setdefault("text/plain", "(a picture that cannot be shown)")
        return cell, resources


class HideTests(NbGraderPreprocessor):
    """Takes hidden tests out of test cells, and what their errors would show of them; messages that teach stay.

    nbgrader's ClearHiddenTests leaves the errors, whose tracebacks quote the hidden lines, and it stops at a student's
    own cell in which its marks stand.
    """

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], cell_index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """One cell as a student may see it. Called by `nbgrader generate_feedback`."""
        info = cell.metadata.get("nbgrader", {})
        if info.get("grade") and not info.get("solution"):
            hide_tests(cell)
        return cell, resources


def hide_tests(cell: NotebookNode) -> None:
    """Take the hidden lines out of a test cell, in place, and whatever the student's code said while they ran.

    An answer that prints its inputs, or raises an error that holds them, would hand out what hidden tests ask.
    """
    lines = {line.strip() for region in HIDDEN.findall(cell.source) for line in region.splitlines()}
    lines = {line for line in lines if len(line) > 3}
    cell.source = HIDDEN.sub("", cell.source).rstrip("\n")
    if lines:
        cell.outputs = [output for output in cell.get("outputs", []) if output.output_type == "error"]
    for output in cell.get("outputs", []):
        if output.output_type == "error":
            whole = output.evalue
            output.evalue = _without(SAID.sub(r"\1 \2", whole) if lines else whole, lines)
            short = [f"{output.ename}: {output.evalue}" if output.evalue else output.ename]
            teaches = output.ename in TEACHES and (not lines or not SAID.search(whole))
            kept = [ANSI.sub("", line) for line in output.traceback] if teaches else short
            output.traceback = [_without(line, lines) for line in kept]


def _without(text: str, hidden: set[str]) -> str:
    """The text, unless it quotes a hidden line."""
    return LEFT_OUT if any(line in text for line in hidden) else text
