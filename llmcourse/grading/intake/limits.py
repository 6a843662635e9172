"""How much a submission may bring, and the one line that says what was wrong with it."""

from dataclasses import dataclass

MIB = 2**20


@dataclass(frozen=True)
class Limits:
    """Sizes in bytes, after unpacking; whatever is above them is refused and told."""

    file_bytes: int = 20 * MIB  # one file: a notebook with many pictures stays below
    total_bytes: int = 4096 * MIB  # all files of one archive, so of a class
    files: int = 20_000  # entries of one archive
    folder_files: int = 200  # files of one submission
    folder_bytes: int = 100 * MIB  # what lies beside its notebook
    cells: int = 2_000
    source_chars: int = 2_000_000  # what all cells of a notebook hold together


@dataclass(frozen=True, order=True)
class Problem:
    """What intake found: a stable code for the report, and a line for a person."""

    code: str
    text: str

    @property
    def fatal(self) -> bool:
        """Whether nothing of the submission could be graded."""
        return self.code in FATAL


FATAL = frozenset({"broken-notebook", "missing-notebook", "too-big", "not-a-file"})
