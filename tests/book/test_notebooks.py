import re
from pathlib import Path

import jupytext
import nbformat
import pytest

from llmcourse.book.contents import BookError, book_pages
from llmcourse.book.directives import python_object
from llmcourse.book.notebooks import SETUP, Chapter, plain_markdown, write_notebooks
from llmcourse.book.roles import References, collect_references, glue_text

HEAD = """---
jupytext: {text_representation: {extension: .md, format_name: myst}}
kernelspec: {display_name: Python 3, language: python, name: python3}
---
"""
CHAPTER = (
    HEAD
    + """(ch-attention)=
# 6 Attention

See {cite}`vaswani2017attention`, {numref}`fig-heads`, {eq}`eq-scores` and {ref}`the start <ch-attention>`.

$$
q \\cdot k
$$ (eq-scores)

```{code-cell} python3
---
mystnb:
  image: {alt: Two heads.}
  figure: {caption: "Two *heads*.", name: fig-heads}
---
1 + 1
```

:::{admonition} Answer
:class: dropdown
Because of {math}`x`.
:::
"""
)
BIB = "@article{vaswani2017attention, author={Vaswani, A and Shazeer, N and Parmar, N}, title={T}, year={2017}, url={https://a.org}}"
MYST_LEFT = re.compile(r"\{[\w:-]+\}`|^\s*(?:`{3,}|:{3,})\{", re.MULTILINE)


@pytest.fixture
def course(tmp_path: Path) -> Path:
    (tmp_path / "_toc.yml").write_text("root: index\nparts:\n- chapters:\n  - file: chapters/06-attention\n")
    (tmp_path / "index.md").write_text("# Start\n")
    (tmp_path / "references.bib").write_text(BIB)
    (tmp_path / "chapters").mkdir()
    (tmp_path / "chapters" / "06-attention.md").write_text(CHAPTER)
    return tmp_path


@pytest.fixture
def chapter(course: Path) -> Chapter:
    pages = book_pages(course)
    return Chapter(pages[1], collect_references(course, pages), {"loss": "1.23456", "word": "'the'"})


def test_a_chapter_becomes_a_valid_notebook_with_a_set_up_cell_after_its_title(course: Path) -> None:
    (path,) = write_notebooks(course)
    notebook = nbformat.read(path, 4)
    nbformat.validate(notebook)
    assert path.name == "06-attention.ipynb"
    assert [cell.cell_type for cell in notebook.cells] == ["markdown", "code", "code", "markdown", "markdown"]
    assert notebook.cells[1].source == SETUP
    assert notebook.cells[2].source == "1 + 1"


def test_numbers_citations_and_captions_read_as_in_the_book(course: Path) -> None:
    (path,) = write_notebooks(course)
    notebook = nbformat.read(path, 4)
    text = notebook.cells[0].source
    assert "See ([Vaswani et al. 2017](https://a.org)), Fig. 6.1, (6.1) and [the start](06-attention.ipynb)." in text
    assert r"\tag{6.1} $$" in text
    assert "(ch-attention)=" not in text
    assert notebook.cells[3].source == "**Fig. 6.1.** Two *heads*."
    assert notebook.cells[4].source.startswith("<details><summary>Answer</summary>\n\nBecause of $x$.")


def test_writing_twice_gives_the_same_bytes(course: Path) -> None:
    first = [path.read_bytes() for path in write_notebooks(course)]
    assert first == [path.read_bytes() for path in write_notebooks(course)]


@pytest.mark.parametrize(
    ("source", "plain"),
    [
        ("```{note}\nAn *aside*.\n```", "> **Note**\n>\n> An *aside*."),
        ("```{admonition} A common note says …\n:class: warning\nNo.\n```", "> **A common note says …**\n>\n> No."),
        ("````{tip}\n```python\nx = '{cite}`'\n```\n````", "> **Tip**\n>\n> ```python\n> x = '{cite}`'\n> ```"),
        ("```{math}\n:label: eq-scores\nx\n```", "$$\nx \\tag{6.1}\n$$"),
        ("```{figure} a.svg\n:alt: A line.\nUp.\n```", "![A line.](a.svg)\n\n**Figure.** Up."),
        ("```python\n{cite}`none`\n```", "```python\n{cite}`none`\n```"),
        ("a\n\n% a remark\nb", "a\n\nb"),
        ("::::{grid} 2\n:::{grid-item-card} One\ntext\n:::\n::::", "> **One**\n>\n> text"),
        ("```{list-table} Sizes\n* - a\n  - b\n* - 1\n  - 2\n```", "**Sizes**\n\n| a | b |\n|---|---|\n| 1 | 2 |"),
        ("a {glue:text}`loss:.2f` b {glue:text}`word` c {glue:text}`other`", "a 1.23 b the c `other`"),
    ],
)
def test_each_directive_has_a_plain_form(chapter: Chapter, source: str, plain: str) -> None:
    assert plain_markdown(source, chapter) == plain


def test_a_paragraph_and_the_block_after_it_stay_apart(chapter: Chapter) -> None:
    assert plain_markdown("a\n\n```{note}\nb\n```\n\nc", chapter) == "a\n\n> **Note**\n>\n> b\n\nc"


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("```{nosuch}\n```", "nosuch"),
        ("{nosuch}`x`", "nosuch"),
        ("{cite}`nobody1900`", "nobody1900"),
        ("{numref}`fig-none`", "fig-none"),
        ("```{note}\nopen", "never closes"),
        ("```{literalinclude} ../gone.py\n```", "gone.py"),
    ],
)
def test_what_has_no_plain_form_is_refused_by_name(chapter: Chapter, source: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        plain_markdown(source, chapter)


def test_the_refusal_names_the_chapter(course: Path) -> None:
    (course / "chapters" / "06-attention.md").write_text(HEAD + "# 6 A\n\n{nosuch}`x`\n")
    with pytest.raises(BookError, match=r"06-attention\.md: .*nosuch"):
        write_notebooks(course)


def test_included_code_is_the_object_named_with_its_decorators() -> None:
    source = "class A:\n    @staticmethod\n    def f(x):\n        return x\n\n    def g(self): ...\n"
    assert python_object(source, "A.f") == "@staticmethod\ndef f(x):\n    return x"
    with pytest.raises(ValueError, match=r"A\.h"):
        python_object(source, "A.h")


def test_a_value_is_formatted_as_asked() -> None:
    assert glue_text("n:,", {"n": "12345"}) == "12,345"
    assert glue_text("text", {"text": "array([1])"}) == "array([1])"


def test_the_real_chapters_convert_and_keep_every_code_cell(root: Path, tmp_path: Path) -> None:
    for page in book_pages(root):
        if page.parent == root:
            continue
        references = collect_references(root, book_pages(root))
        from llmcourse.book.notebooks import convert

        notebook = convert(page, Chapter(page, references))
        nbformat.validate(notebook)
        code = [cell.source for cell in jupytext.read(page).cells if cell.cell_type == "code"]
        assert [cell.source for cell in notebook.cells if cell.cell_type == "code"][1:] == code
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                outside_code = re.sub(
                    r"^(`{3,})\w*\n.*?^\1\s*$|`[^`\n]+`", "", cell.source, flags=re.DOTALL | re.MULTILINE
                )
                assert not MYST_LEFT.search(outside_code), f"{page.name}: {MYST_LEFT.search(outside_code)}"


def test_references_know_labels_and_numbers(chapter: Chapter) -> None:
    assert chapter.references == References(
        titles={"ch-attention": ("6 Attention", "06-attention.ipynb")},
        numbers={"eq-scores": "6.1", "fig-heads": "Fig. 6.1"},
        works={"vaswani2017attention": "[Vaswani et al. 2017](https://a.org)"},
    )
