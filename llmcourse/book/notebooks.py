"""Turn the book's chapters into notebooks that need no Sphinx to be read."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import jupytext
import nbformat

from llmcourse.book.contents import CACHES, TABLE_OF_CONTENTS, BookError, book_pages
from llmcourse.book.directives import (
    CALLOUTS,
    CONTAINERS,
    DROPPED,
    TITLED,
    Directive,
    callout,
    included_code,
    list_table,
    parse_directive,
    quote,
)
from llmcourse.book.execute import opened_cache, read_chapter
from llmcourse.book.fingerprint import execution_fingerprint
from llmcourse.book.roles import References, collect_references, plain_roles

OPENING = re.compile(r"^(\s*)(`{3,}|:{3,}|~{3,})(?:\{([\w:-]+)\})?[ \t]*(.*)$")
LABEL = re.compile(r"^\([\w:-]+\)=\s*$")
EQUATION_LABEL = re.compile(r"\$\$[ \t]*\(([\w:-]+)\)[ \t]*$", re.MULTILINE)
SETUP = """\
# Set-up. In a copy of the course (`make lab`) there is nothing to do: run this cell and go on.
# Elsewhere, on Colab for example, install the course's package first: put the address of
# its repository into the next line, remove the leading "# " and run the cell again.
# %pip install --quiet "llmcourse @ git+https://ADDRESS"
try:
    import llmcourse
except ModuleNotFoundError as error:
    raise SystemExit("The package `llmcourse` is not installed: see the comment above.") from error
"""


@dataclass
class Chapter:
    """What the text of one chapter needs to be written plainly."""

    path: Path
    references: References
    glued: Mapping[str, str] = field(default_factory=dict)


def write_notebooks(root: Path) -> list[Path]:
    """The notebooks written, one beside each chapter of the table of contents.

    Raises: BookError naming the chapter that holds something with no plain form.
    """
    root = root.resolve()
    cache_folder = root / "_build" / CACHES / execution_fingerprint(root)
    written = []
    for page, notebook in chapter_notebooks(root, TABLE_OF_CONTENTS, cache_folder).items():
        target = page.with_suffix(".ipynb")
        nbformat.write(notebook, target)
        written.append(target)
    return written


def chapter_notebooks(root: Path, contents: str, cache_folder: Path) -> dict[Path, nbformat.NotebookNode]:
    """The notebook of each chapter in a table of contents, with the values that the last build computed.

    Raises: BookError naming the chapter that holds something with no plain form.
    """
    pages = book_pages(root, contents)
    references = collect_references(root, pages)
    chapters = [page for page in pages if page.parent != root and read_chapter(page) is not None]
    return {page: convert(page, Chapter(page, references, glued_values(page, cache_folder))) for page in chapters}


def convert(page: Path, chapter: Chapter) -> nbformat.NotebookNode:
    """The chapter as a notebook: the same code cells, plain Markdown between them, a set-up cell first."""
    source = jupytext.read(page)
    cells = []
    try:
        for cell in source.cells:
            if cell.cell_type == "markdown":
                cells.append(nbformat.v4.new_markdown_cell(plain_markdown(cell.source, chapter)))
            else:
                cells.append(nbformat.v4.new_code_cell(cell.source, metadata=cell.metadata))
                cells += _caption(cell.metadata, chapter)
    except ValueError as error:
        raise BookError(f"{page.name}: {error}") from error
    place = 1 if cells and cells[0].cell_type == "markdown" else 0
    cells.insert(place, nbformat.v4.new_code_cell(SETUP))
    for number, cell in enumerate(cells):
        cell.id = f"{page.stem[:40]}-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def _caption(metadata: Mapping[str, dict[str, dict[str, str]]], chapter: Chapter) -> list[nbformat.NotebookNode]:
    figure = metadata.get("mystnb", {}).get("figure", {})
    if "caption" not in figure:
        return []
    number = chapter.references.numbers.get(figure.get("name", ""), "Figure")
    text = plain_roles(figure["caption"], chapter.references, chapter.glued)
    return [nbformat.v4.new_markdown_cell(f"**{number}.** {text}")]


def plain_markdown(text: str, chapter: Chapter) -> str:
    """The text with every directive and role replaced by Markdown that any notebook shows.

    Raises: ValueError naming a directive or role that has no plain form.
    """
    lines = text.splitlines()
    out: list[str] = []
    prose: list[str] = []

    def flush() -> None:
        if prose:
            out.append(_plain_prose("\n".join(prose), chapter))
            prose.clear()

    row = 0
    while row < len(lines):
        opening = OPENING.match(lines[row])
        if opening is None:
            prose.append(lines[row])
            row += 1
            continue
        end = _closing(lines, row, opening.group(2))
        inner = lines[row + 1 : end]
        flush()
        if opening.group(3) is None:
            out.append("\n".join(lines[row : end + 1]))  # ordinary code: as it is
        else:
            indent = len(opening.group(1))
            directive = parse_directive(opening.group(3), opening.group(4).strip(), [line[indent:] for line in inner])
            out.append(_plain_directive(directive, chapter))
        row = end + 1
    flush()
    return "\n".join(out).strip("\n")


def _closing(lines: list[str], start: int, fence: str) -> int:
    for row in range(start + 1, len(lines)):
        text = lines[row].strip()
        if text.startswith(fence) and not text.strip(fence[0]):
            return row
    raise ValueError(f"the block that opens with {lines[start].strip()!r} never closes.")


def _plain_prose(text: str, chapter: Chapter) -> str:
    kept = [line for line in text.split("\n") if not LABEL.match(line) and not line.startswith("% ")]
    joined = "\n".join(kept)

    def tag(match: re.Match[str]) -> str:
        number = chapter.references.numbers.get(match.group(1), match.group(1))
        return rf"\tag{{{number}}} $$"

    return plain_roles(EQUATION_LABEL.sub(tag, joined), chapter.references, chapter.glued)


def _plain_directive(directive: Directive, chapter: Chapter) -> str:
    name = directive.name
    if name == "literalinclude":
        return included_code(directive, chapter.path.parent)
    if name in {"code-block", "code", "sourcecode"}:
        return f"```{directive.argument}\n{directive.body}\n```"
    if name == "math":
        number = chapter.references.numbers.get(directive.options.get("label", ""))
        tag = rf" \tag{{{number}}}" if number else ""
        return f"$$\n{directive.body}{tag}\n$$"
    if name in DROPPED:
        return ""

    def inline(text: str) -> str:
        return plain_roles(text, chapter.references, chapter.glued)

    if name == "list-table":
        return list_table(directive, inline)
    body = plain_markdown(directive.body, chapter)
    if name in CALLOUTS or name in {"admonition", "dropdown"}:
        return callout(Directive(name, inline(directive.argument), directive.options, directive.body), body)
    if name in {"figure", "image"}:
        number = chapter.references.numbers.get(directive.options.get("name", ""), "Figure")
        picture = f"![{directive.options.get('alt', '')}]({directive.argument})"
        return f"{picture}\n\n**{number}.** {body}" if body else picture
    if name in CONTAINERS:
        return body
    if name in TITLED:
        return quote(inline(directive.argument), body)
    if name == "table":
        return f"**{inline(directive.argument)}**\n\n{body}"
    raise ValueError(f"the directive {{{name}}} has no plain form yet: add one to llmcourse/book/notebooks.py.")


def glued_values(page: Path, folder: Path) -> dict[str, str]:
    """What the last build glued on this page, by name; empty where the outputs are not in the cache."""
    notebook = read_chapter(page)
    if notebook is None or not folder.exists():
        return {}
    with opened_cache(folder) as cache:
        try:
            _, executed = cache.merge_match_into_notebook(notebook)
        except KeyError:
            return {}
    found = {}
    for cell in executed.cells:
        for output in cell.get("outputs", []):
            name = output.get("metadata", {}).get("scrapbook", {}).get("name", "")
            if name:
                found[name.removeprefix("application/papermill.record/")] = _glued_text(output)
    return found


def _glued_text(output: nbformat.NotebookNode) -> str:
    data = output.get("data", {})
    return str(next((value for key, value in data.items() if key.endswith("text/plain")), ""))
