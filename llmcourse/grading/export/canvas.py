"""A gradebook file of Canvas, with one assignment's column filled and every other cell as it was.

Its first row names the columns: Student, ID, SIS User ID, SIS Login ID, Section, then assignments as `Title (id)`.
A row `Manual Posting` may follow, then the row `Points Possible`, where columns that Canvas computes say `(read only)`.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from llmcourse.grading.export.scores import Score
from llmcourse.grading.export.tables import Filled, match, number, place, read_table

WHO = ("ID", "SIS User ID", "SIS Login ID")
NEEDED = ("ID", "SIS Login ID", "Section")
TESTER = "Student, Test"  # whom Canvas makes up


def fill_canvas(path: Path, assignment: str, scores: Sequence[Score], column: str | None = None) -> Filled:
    """The rows of a downloaded gradebook with points in the column of the assignment.

    `column` is its title in Canvas, with or without the number behind it; else the assignment's name is looked for.
    Points are scaled where Canvas has another maximum than the gradebook.

    Raises: ValueError where the file is no gradebook of Canvas, or has no such column or two.
    """
    rows, bom, line_end = read_table(path)
    head = rows[0]
    missing = [name for name in NEEDED if name not in head]
    if missing:
        raise ValueError(f"{path} is no gradebook of Canvas: its first row has no column {missing[0]!r}.")
    possible = next((row for row in rows[1:4] if row and row[0].strip() == "Points Possible"), None)
    if possible is None:
        raise ValueError(f"{path} is no gradebook of Canvas: it has no row `Points Possible`.")
    at = _column(head, column or assignment)
    if at < len(possible) and possible[at].strip() == "(read only)":
        raise ValueError(f"The column {head[at]!r} is one that Canvas computes: it cannot be filled.")
    filled = Filled(rows, bom, line_end)
    first = rows.index(possible) + 1
    people = {n: row for n, row in enumerate(rows[first:], first) if len(row) >= len(NEEDED) and row[0] != TESTER}
    where = {name: head.index(name) for name in WHO if name in head}
    found = match(
        {name: {n: row[column_at].strip() for n, row in people.items()} for name, column_at in where.items()}, scores
    )
    top = _maximum(possible[at] if at < len(possible) else "")
    for row_number, score in place(filled, {n: row[0] for n, row in people.items()}, found, scores).items():
        row = rows[row_number]
        row += [""] * (at + 1 - len(row))
        scale = top / score.max_points if top and score.max_points else 1.0
        # EX is for excused: a person decided that
        if row[at].strip().upper() != "EX":
            row[at] = number((score.points or 0.0) * scale)
    return filled


def _column(head: Sequence[str], title: str) -> int:
    """Where the assignment's column is: its name as it stands, or without Canvas's number."""
    fits = [at for at, name in enumerate(head) if name == title]
    fits = fits or [at for at, name in enumerate(head) if re.sub(r" \(\d+\)$", "", name) == title]
    if len(fits) != 1:
        there = ", ".join(repr(name) for name in head if re.search(r" \(\d+\)$", name)) or "no assignment at all"
        found = "two columns are" if fits else "no column is"
        raise ValueError(f"{found[0].upper()}{found[1:]} named {title!r}: give --column one of {there}.")
    return fits[0]


def _maximum(text: str) -> float:
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        return 0.0
