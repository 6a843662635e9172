"""The Sphinx extension of the course: mathematics, figures, numbers, explorers and repairs to the theme."""

import shutil
from pathlib import Path
from typing import Any

import nbformat
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

from llmcourse.book import citations, numbering
from llmcourse.book.cards import ChapterCards
from llmcourse.book.contents import CACHES, BookError, book_pages
from llmcourse.book.figures import AccessibleFigures
from llmcourse.book.fingerprint import execution_fingerprint, page_fingerprint
from llmcourse.book.mathml import UnsupportedMath, to_mathml
from llmcourse.book.notebooks import chapter_notebooks
from llmcourse.book.numbering import chapter_number
from llmcourse.book.theme import UNUSED_FILES, UnknownIcon, draw_icons, mend_landmarks

logger = logging.getLogger(__name__)
ASSETS = Path(__file__).parent / "assets"
STYLE = "llmcourse.css"
PAGES_OF_SPHINX = ("search",)
# a browser lets no page that was opened from a disk read another one, which is how the search shows what it found
SEARCH_FROM_DISK = 'if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;'


def set_up_build(app: Sphinx, config: Config) -> None:
    """Name the caches after what they depend on, and lay out the files that pages load."""
    build_folder = Path(app.outdir).parent
    root = Path(app.srcdir)
    config.llmcourse_build_folder = str(build_folder / ".book")
    config.llmcourse_fingerprint = page_fingerprint(root)
    config.llmcourse_dark_colours = dark_colours()
    # only these: a README in a tool's hidden folder is no page
    config.include_patterns = [page.relative_to(root).as_posix() for page in book_pages(root, config.external_toc_path)]
    config.nb_execution_mode = "cache"
    # the driver has named the cache that it filled; a plain `jupyter-book build` has not
    if not config.nb_execution_cache_path:
        config.nb_execution_cache_path = str(build_folder / CACHES / execution_fingerprint(root))
    static = build_folder / ".book" / "static"
    shutil.rmtree(static, ignore_errors=True)
    static.mkdir(parents=True)
    shutil.copyfile(ASSETS / STYLE, static / STYLE)
    for name, text in explorer_assets().items():
        (static / name).write_text(text, encoding="utf-8")
    config.html_static_path.append(str(static))


def dark_colours() -> dict[str, str]:
    """The house colours, as drawn on white, with their partners on dark pages."""
    from llmcourse.plots.style import DARK

    return {light.lower(): dark for light, dark in DARK.items()}


def explorer_assets() -> dict[str, str]:
    """The scripts and the style of the explorers, by file name, in loading order."""
    from llmcourse.widgets.static import assets

    return assets()


def visit_inline_math(translator: HTML5Translator, node: nodes.math) -> None:
    """Write a formula inside a line."""
    translator.body.append(_mathml(node, display=False))
    raise nodes.SkipNode


def visit_display_math(translator: HTML5Translator, node: nodes.math_block) -> None:
    """Write a formula on its own line, with its number where it has a label."""
    translator.body.append(translator.starttag(node, "div", CLASS="math notranslate nohighlight"))
    translator.body.append(f'<div class="llmc-formula">{_mathml(node, display=True)}</div>')
    if node.get("number"):
        translator.body.append(f'<span class="eqno">({get_node_equation_number(translator, node)})')
        translator.add_permalink_ref(node, "Link to this equation")
        translator.body.append("</span>")
    translator.body.append("</div>\n")
    raise nodes.SkipNode


def _mathml(node: nodes.Element, *, display: bool) -> str:
    try:
        return to_mathml(node.astext(), display=display)
    except UnsupportedMath as error:
        logger.warning("%s", error, location=node, type="llmcourse")
        return ""


def load_explorers(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Load the explorers' scripts on pages that hold one, and nowhere else."""
    if "data-explorer=" not in context.get("body", ""):
        return
    for name in explorer_assets():
        if name.endswith(".css"):
            app.add_css_file(name)
        else:
            app.add_js_file(name, loading_method="defer")


def offer_notebook(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Put the chapter's notebook first in the page's list of downloads."""
    if chapter_number(pagename) is not None:
        context["ipynb_source"] = f"{pagename}.ipynb"


def add_notebooks(app: Sphinx, error: Exception | None) -> None:
    """Lay each chapter's notebook where its page offers it."""
    if error is not None or app.builder.format != "html":
        return
    root = Path(app.srcdir)
    try:
        notebooks = chapter_notebooks(root, app.config.external_toc_path, Path(app.config.nb_execution_cache_path))
    except BookError as trouble:
        logger.warning("no notebook can be made: %s", trouble, type="llmcourse")
        return
    for page, notebook in notebooks.items():
        target = Path(app.outdir) / "_sources" / page.relative_to(root).with_suffix(".ipynb")
        target.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, target)


def repair_pages(app: Sphinx, error: Exception | None) -> None:
    """Draw the icons into every page, and delete what an earlier build or the theme left and no page asks for."""
    if error is not None or app.builder.format != "html":
        return
    output = Path(app.outdir)
    for name in UNUSED_FILES:
        (output / name).unlink(missing_ok=True)
    texts = []
    for path in written_pages(output):
        if path.relative_to(output).with_suffix("").as_posix() not in {*app.env.found_docs, *PAGES_OF_SPHINX}:
            path.unlink()
            continue
        before = path.read_text(encoding="utf-8")
        try:
            after = mend_landmarks(draw_icons(before))
        except UnknownIcon as unknown:
            logger.warning("%s: %s", path.relative_to(output), unknown, type="llmcourse")
            continue
        if after != before:
            path.write_text(after, encoding="utf-8")
        texts.append(after)
    for image in (output / "_images").glob("*"):
        if not any(image.name in text for text in texts):
            image.unlink()


def written_pages(output: Path) -> list[Path]:
    """Every page that lies in the output folder, the theme's own files left out."""
    return [page for page in output.rglob("*.html") if "_static" not in page.relative_to(output).parts]


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect everything."""
    app.add_config_value("llmcourse_fingerprint", "", "env")
    app.add_config_value("llmcourse_build_folder", "", "")
    app.add_config_value("llmcourse_dark_colours", {}, "")
    # Jupyter Book sets it whether or not the extension that reads it is there
    app.add_config_value("comments_config", {}, "")
    app.add_html_math_renderer("mathml", (visit_inline_math, None), (visit_display_math, None))
    app.add_transform(AccessibleFigures)
    app.add_directive("chapter-cards", ChapterCards)
    app.add_css_file(STYLE)
    app.add_js_file(None, body=SEARCH_FROM_DISK)
    # before MyST-NB reads its settings
    app.connect("config-inited", set_up_build, priority=100)
    app.connect("html-page-context", load_explorers)
    # before the theme makes its list of downloads
    app.connect("html-page-context", offer_notebook, priority=100)
    app.connect("build-finished", add_notebooks)
    app.connect("build-finished", repair_pages)
    numbering.setup(app)
    citations.setup()
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
