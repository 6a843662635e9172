"""A grading worksheet of Moodle, with grades and comments filled and every other cell as it was.

Its columns: Identifier (`Participant 12345`), Full name, often ID number, Email address and Status, then Grade,
Maximum Grade, Grade can be changed, Last modified (submission), Last modified (grade), Feedback comments. Where names
are hidden from the grader, some are left out.
"""

import html
import re
from collections.abc import Sequence
from pathlib import Path

from llmcourse.grading.export.scores import Score
from llmcourse.grading.export.tables import Filled, match, number, place, read_table

WHO = ("Identifier", "ID number", "Username", "Email address")


def fill_moodle(path: Path, scores: Sequence[Score]) -> Filled:
    """The rows of a downloaded worksheet with grades, scaled to Moodle's maximum, and comments where it has a column.

    A row whose grade Moodle locks is left as it was.

    Raises: ValueError where the file is no grading worksheet.
    """
    rows, bom, line_end = read_table(path)
    head = rows[0]
    for name in ("Identifier", "Grade"):
        if name not in head:
            raise ValueError(f"{path} is no grading worksheet of Moodle: its first row has no column {name!r}.")
    at = {name: head.index(name) for name in head}
    filled = Filled(rows, bom, line_end)
    people = {n: row for n, row in enumerate(rows[1:], 1) if len(row) == len(head) and row[at["Identifier"]].strip()}
    found = match({name: {n: _plain(row[at[name]]) for n, row in people.items()} for name in WHO if name in at}, scores)
    names = {n: row[at.get("Full name", at["Identifier"])] for n, row in people.items()}
    for row_number, score in place(filled, names, found, scores).items():
        row = rows[row_number]
        if "Grade can be changed" in at and row[at["Grade can be changed"]].strip().lower() == "no":
            filled.waiting.append(f"{score.student} (locked in Moodle)")
            filled.written -= 1
            continue
        row[at["Grade"]] = number((score.points or 0.0) * _scale(row, at.get("Maximum Grade"), score.max_points))
        if "Feedback comments" in at and score.comment:
            row[at["Feedback comments"]] = html.escape(score.comment, quote=False).replace("\n", "<br />")
    return filled


def _plain(name: str) -> str:
    # "Participant 12345", in whatever language
    return re.sub(r"^\D+ (?=\d+$)", "", name.strip())


def _scale(row: Sequence[str], at: int | None, max_points: float) -> float:
    if at is None:
        return 1.0
    try:
        return float(row[at].replace(",", ".")) / max_points if max_points else 1.0
    except ValueError:
        return 1.0
