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


def write_draft_contents(root: Path, folder: Path, chapter: str) -> str:
    """The name, relative to `root`, of a new table of contents with one chapter and the pages that all books have.

    Raises: BookError where there is no such chapter.
    """
    if not (root / "chapters" / f"{chapter}.md").exists():
        found = ", ".join(sorted(path.stem for path in (root / "chapters").glob("*.md")))
        raise BookError(f"There is no chapter {chapter!r}. There are: {found}.")
    folder.mkdir(parents=True, exist_ok=True)
    parts = [{"caption": "Draft", "chapters": [{"file": f"chapters/{chapter}"}, {"file": "references"}]}]
    contents = folder / TABLE_OF_CONTENTS
    contents.write_text(yaml.safe_dump({"format": "jb-book", "root": "index", "parts": parts}), encoding="utf-8")
    return contents.relative_to(root).as_posix()
