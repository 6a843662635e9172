"""Feedback pages that are safe to open: what a student wrote as Markdown is shown, and never run.

nbgrader's template puts Markdown cells into the page as they come; `HTMLExporter.sanitize_html` cleans outputs only.
"""

import bleach
from nbconvert.filters import markdown2html

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
