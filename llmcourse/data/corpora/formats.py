"""Readers of the few formats that public corpora come in; each gives one document after the other."""

import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ARTICLE = re.compile(r"^ = (?!= ).* = $")  # WikiText marks a title by one sign on each side, a section by more


def separated(path: Path, mark: str) -> Iterator[str]:
    """The documents of a text file that a line with `mark` follows each; what has no mark after it was cut off."""
    lines: list[bytes] = []
    with path.open("rb") as file:  # bytes: a cut may go through a character
        for line in file:
            if line.strip() != mark.encode():
                lines.append(line)
                continue
            text = b"".join(lines).decode("utf-8").strip()
            lines = []
            if text:
                yield text


def member(path: Path, name: str) -> str:
    """The text of one file in a zip archive. Raises: ValueError where the archive has none of that name."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.read(name).decode("utf-8")
    except (zipfile.BadZipFile, KeyError):
        raise ValueError(f"{path} is no zip archive that holds {name}; delete it to fetch it again.") from None


def articles(text: str) -> Iterator[str]:
    """The articles of a WikiText file, each from its title on."""
    lines: list[str] = []
    for line in text.split("\n"):
        if ARTICLE.match(line) and lines:
            yield "\n".join(lines).strip()
            lines = []
        if line.strip() or lines:
            lines.append(line)
    if lines:
        yield "\n".join(lines).strip()


def columns(text: str, names: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Those columns of a table whose cells are separated by tabs, and whose first line names them.

    Quotation marks are plain characters there. Raises: ValueError that names the line with too few cells.
    """
    head, *lines = text.rstrip("\n").split("\n")
    titles = head.split("\t")
    if not set(names) <= set(titles):
        raise ValueError(f"The table should have the columns {', '.join(names)}; it has {', '.join(titles)}.")
    places = [titles.index(name) for name in names]
    for number, line in enumerate(lines, start=2):
        cells = line.split("\t")
        if len(cells) != len(titles):
            raise ValueError(f"Line {number} of the table has {len(cells)} cells, not {len(titles)}.")
        yield tuple(cells[place] for place in places)


def json_lines(path: Path, keys: tuple[str, ...]) -> Iterator[Mapping[str, Any]]:
    """One mapping for each line that is not empty. Raises: ValueError that names a line without these keys."""
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield _mapping(line, keys, f"Line {number} of {path}")


def rows(path: Path, column: str) -> Iterator[str]:
    """A column of one page that the dataset viewer's `rows` gave; cells that it has shortened are left out.

    Source: https://huggingface.co/docs/dataset-viewer/rows
    """
    page = _mapping(path.read_text(encoding="utf-8"), ("rows",), str(path))
    for row in page["rows"]:
        if column not in row.get("truncated_cells", ()):
            yield row["row"][column]


def _mapping(text: str, keys: tuple[str, ...], where: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not set(keys) <= set(found):
        raise ValueError(f"{where} is not JSON with {', '.join(keys)}; delete the file to fetch it again.")
    return found
