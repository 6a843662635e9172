"""Tables of text that a spreadsheet opens without running anything in them."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from llmcourse.data.files import atomic_path
from llmcourse.grading.export.scores import Score

BOM = "\ufeff"
# a cell that begins so is a formula for some spreadsheet; the full-width forms are read as the plain ones
FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")
NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?%?")


@dataclass
class Filled:
    """A filled table, and who is missing on either side."""

    rows: list[list[str]]
    bom: bool = False
    line_end: str = "\r\n"
    written: int = 0
    not_in_gradebook: list[str] = field(default_factory=list)  # rows of the platform's file
    not_in_file: list[str] = field(default_factory=list)  # students of the gradebook
    waiting: list[str] = field(default_factory=list)  # a person has still to give points
    given_twice: list[str] = field(default_factory=list)  # rows that fit the same student

    def write(self, path: Path) -> None:
        """Write the table as the platform's file was: with its mark in front and its line ends."""
        with atomic_path(path) as scratch:
            scratch.write_bytes(((BOM if self.bom else "") + as_csv(self.rows, self.line_end)).encode("utf-8"))

    def report(self) -> list[str]:
        """A line for each thing that a person must know before the upload."""
        told = [
            ("In the file and not in the gradebook, left as they were", self.not_in_gradebook),
            ("In the gradebook and not in the file", self.not_in_file),
            ("Waiting for points that a person gives, left as they were", self.waiting),
            ("More than one row fits, left as they were", self.given_twice),
        ]
        return [f"{text}: {', '.join(names)}." for text, names in told if names]


def harmless(text: str) -> str:
    """The text as a cell that no spreadsheet takes for a formula; numbers, and a dash for nothing, stay as they are."""
    if NUMBER.fullmatch(text.strip(" ")) or text == "-":
        return text
    return f"'{text}" if FORMULA.match(text) else text


def read_table(path: Path) -> tuple[list[list[str]], bool, str]:
    """The rows of a downloaded file, whether a mark stood in front, and its line ends.

    Raises: ValueError for a file that is not UTF-8 or has no row.
    """
    content = path.read_bytes()
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is not UTF-8: byte {error.start}. Download it again, and do not save it from Excel."
        ) from None
    bom = text.startswith(BOM)
    rows = list(csv.reader(io.StringIO(text.removeprefix(BOM), newline="")))
    if not rows:
        raise ValueError(f"{path} is empty.")
    return rows, bom, "\r\n" if b"\r\n" in content else "\n"


def as_csv(rows: Iterable[Sequence[str]], line_end: str = "\r\n") -> str:
    """Rows as text; fields are quoted where they hold a comma, a quote or a line end."""
    out = io.StringIO()
    csv.writer(out, lineterminator=line_end).writerows([[harmless(cell) for cell in row] for row in rows])
    return out.getvalue()


def number(points: float) -> str:
    """Points without a tail of zeros, never with an exponent."""
    return f"{round(points, 4):.4f}".rstrip("0").rstrip(".")


def write_plain(path: Path, assignment: str, scores: Sequence[Score]) -> Filled:
    """Write a table of its own, one row for each student."""
    head = [
        "assignment",
        "student",
        "last_name",
        "first_name",
        "email",
        "handed_in",
        "points",
        "max_points",
        "late_penalty",
    ]
    filled = Filled([head], line_end="\n", written=len(scores))
    for each in scores:
        row = [assignment, each.student, each.last_name, each.first_name, each.email, "yes" if each.handed_in else "no"]
        points = "" if each.points is None else number(each.points)
        filled.rows.append([*row, points, number(each.max_points), number(each.penalty)])
        if each.points is None:
            filled.waiting.append(each.student)
    filled.write(path)
    return filled


def match(columns: Mapping[str, Mapping[int, str]], scores: Sequence[Score]) -> dict[int, Score]:
    """The students by number of row, matched by the one column and the one kind of name that fit most rows.

    One pair for the whole file: a number may be one person's on the platform and another's in the class list, so rows
    that are matched each in their own way could swap two people's grades. Case does not count; a name of two fits none.
    """
    best: dict[int, Score] = {}
    for values in columns.values():
        for kind in ("platform", "student", "email"):
            owners: dict[str, list[Score]] = {}
            for score in scores:
                owners.setdefault(score.called(kind).casefold(), []).append(score)
            fits = {row: owners[name.casefold()] for row, name in values.items() if name and name.casefold() in owners}
            found = {row: each[0] for row, each in fits.items() if len(each) == 1}
            if len(found) > len(best):
                best = found
    return best


def place(
    filled: Filled, names: Mapping[int, str], found: Mapping[int, Score], scores: Sequence[Score]
) -> dict[int, Score]:
    """The rows to fill; what fits no student, or two rows, is noted by its name in `names` and left alone."""
    rows_of: dict[str, list[int]] = {}
    for row, name in names.items():
        if row in found:
            rows_of.setdefault(found[row].student, []).append(row)
        else:
            filled.not_in_gradebook.append(name)
    chosen: dict[int, Score] = {}
    for score in scores:
        rows = rows_of.get(score.student, [])
        if not rows:
            filled.not_in_file.append(score.student)
        elif len(rows) > 1:
            filled.given_twice.append(score.student)
        elif score.points is None:
            filled.waiting.append(score.student)
        else:
            chosen[rows[0]] = score
    filled.written = len(chosen)
    return chosen
