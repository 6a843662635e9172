"""Small repairs to the finished pages: icons without a script, no leftovers of unused services."""

import re
from functools import lru_cache
from html import escape
from pathlib import Path

import pydata_sphinx_theme

ICON_ELEMENT = re.compile(r'<(i|span) class="([^"]*\bfa-[^"]*)"([^>]*)></\1>')
ICON_SCRIPT = re.compile(r"\s*<!-- So that users can add custom icons -->\s*<script[^>]*fontawesome\.js[^>]*></script>")
ICON_NAME = re.compile(r"\bfa-([a-z0-9-]+)\b")
ICON_STYLES = {"solid", "regular", "brands", "lg", "sm", "xs", "fw", "2x"}
ICON_DATA = re.compile(r'[,{]"?([a-z0-9-]+)"?:\[(\d+),(\d+),\[([^\]]*)\],"[0-9a-f]+","([^"]+)"\]')
# two icon fonts stay: the theme writes the icons of admonitions (solid) and of links to GitHub (brands) with them
UNUSED_FILES = (
    "_static/scripts/fontawesome.js",
    "_static/scripts/fontawesome.js.map",
    "_static/vendor/fontawesome/webfonts/fa-solid-900.ttf",
    "_static/vendor/fontawesome/webfonts/fa-regular-400.ttf",
    "_static/vendor/fontawesome/webfonts/fa-regular-400.woff2",
    "_static/vendor/fontawesome/webfonts/fa-brands-400.ttf",
)

# What an accessibility checker (axe-core) finds in the default pages, each with its repair.
MENDS = (
    # a name that differs from the words on the button hides the button from people who speak to their computer
    (re.compile(r'(<button class="btn search-button-field[^>]*?) aria-label="[^"]*"'), r"\1"),
    (re.compile(r'<summary aria-label="[^"]*">'), "<summary>"),
    # content outside every landmark is skipped by those who jump from landmark to landmark
    (
        re.compile(r'<div id="pst-primary-sidebar" class'),
        '<div id="pst-primary-sidebar" role="region" aria-label="Book" class',
    ),
    # a list's children are its items; the role that docutils gives them is deprecated
    (re.compile(r' role="doc-biblioentry"'), ' role="listitem"'),
)


class UnknownIcon(ValueError):
    """A page asks for an icon that the theme does not bring."""


@lru_cache(maxsize=1)
def icons() -> dict[str, tuple[str, str, str]]:
    """Width, height and path of every solid icon of the theme, by name and by each alias."""
    theme = Path(pydata_sphinx_theme.__file__).parent / "theme" / "pydata_sphinx_theme"
    script = (theme / "static" / "scripts" / "fontawesome.js").read_text(encoding="utf-8")
    found: dict[str, tuple[str, str, str]] = {}
    for name, width, height, aliases, path in ICON_DATA.findall(script):
        # the solid drawings come last in the file, so they win over the outlined ones
        for key in [name, *re.findall(r'"([a-z0-9-]+)"', aliases)]:
            found[key] = (width, height, path)
    return found


def draw_icons(page: str) -> str:
    """The page with each icon element replaced by the drawing itself.

    Raises: UnknownIcon naming the icon.
    """
    return ICON_SCRIPT.sub("", ICON_ELEMENT.sub(_draw, page))


def mend_landmarks(page: str) -> str:
    """The page with the theme's slips in names and roles put right."""
    for pattern, replacement in MENDS:
        page = pattern.sub(replacement, page)
    return page


def _draw(match: re.Match[str]) -> str:
    classes, rest = match.group(2), match.group(3)
    names = [name for name in ICON_NAME.findall(classes) if name not in ICON_STYLES]
    if not names:
        return match.group()
    if names[0] not in icons():
        raise UnknownIcon(f"no icon is called {names[0]!r}.")
    width, height, path = icons()[names[0]]
    hidden = "" if "aria-" in rest else ' aria-hidden="true"'
    return (
        f'<svg class="svg-inline--fa {escape(classes)}"{rest}{hidden} focusable="false" '
        f'viewBox="0 0 {width} {height}"><path fill="currentColor" d="{path}"></path></svg>'
    )
