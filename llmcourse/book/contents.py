"""Which pages the book has, from its table of contents."""

from pathlib import Path

import yaml

CACHES = ".outputs"
TABLE_OF_CONTENTS = "_toc.yml"


class BookError(Exception):
    """The book could not be built; the message says which page and why."""


def book_pages(root: Path, contents_file: str = TABLE_OF_CONTENTS) -> list[Path]:
    """The source file of every page in the table of contents, in reading order.

    Raises: BookError where it names a page that does not exist.
    """
    contents = yaml.safe_load((root / contents_file).read_text(encoding="utf-8"))
    names = [contents["root"]]
    for part in contents.get("parts", [contents]):
        names += [chapter["file"] for chapter in part.get("chapters", [])]
    pages = [root / f"{name}.md" for name in names]
    for page in pages:
        if not page.exists():
            raise BookError(f"{contents_file} names {page.relative_to(root)}, which does not exist.")
    return pages
