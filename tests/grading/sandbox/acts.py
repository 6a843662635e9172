"""What a locked child tries, and what it must still be able to do: plain functions of what it knows of the world."""

from tests.grading.sandbox import forbidden_files, forbidden_network, forbidden_processes, needed_acts
from tests.grading.sandbox.register import FORBIDDEN, NEEDED, Act, Facts

__all__ = [
    "FORBIDDEN",
    "NEEDED",
    "Act",
    "Facts",
    "forbidden_files",
    "forbidden_network",
    "forbidden_processes",
    "needed_acts",
]
