"""Number figures and equations by chapter, with the number that the chapter carries in the syllabus."""

import re
from collections.abc import Iterable

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

CHAPTER_FILE = re.compile(r"(?:.*/)?(\d\d)-[\w-]+")
Numbers = dict[str, dict[str, dict[str, tuple[int, ...]]]]


def chapter_number(docname: str) -> int | None:
    """The syllabus number in a page's file name, `chapters/06-attention`; None for any other page."""
    match = CHAPTER_FILE.fullmatch(docname)
    return int(match.group(1)) if match else None


def by_chapter(numbers: Numbers) -> Numbers:
    """Numbers that count on through the book turned into (chapter, count within the chapter)."""
    renumbered: Numbers = {}
    for docname, kinds in numbers.items():
        chapter = chapter_number(docname)
        renumbered[docname] = {
            kind: figures
            if chapter is None
            else {name: (chapter, place) for place, name in enumerate(figures, start=1)}
            for kind, figures in kinds.items()
        }
    return renumbered


def restore_plain_numbers(app: Sphinx, env: BuildEnvironment) -> Iterable[str]:
    """Give Sphinx back the numbers it knows, so that it does not take every page for changed."""
    env.toc_fignumbers = getattr(env, "llmcourse_plain_numbers", env.toc_fignumbers)
    return []


def number_by_chapter(app: Sphinx, env: BuildEnvironment) -> Iterable[str]:
    """Replace Sphinx's numbers by ours, after it has counted."""
    env.llmcourse_plain_numbers = env.toc_fignumbers  # type: ignore[attr-defined]
    env.toc_fignumbers = by_chapter(env.toc_fignumbers)
    return []


def setup(app: Sphinx) -> None:
    """Run around Sphinx's own counting, which has priority 500."""
    app.connect("env-get-updated", restore_plain_numbers, priority=400)
    app.connect("env-get-updated", number_by_chapter, priority=600)
