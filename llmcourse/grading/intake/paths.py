"""Names that stay inside their folder on every platform; all others are refused with a reason."""

import re
import unicodedata

# of Windows, where a file of this name is a device in whatever folder and with whatever ending
DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in "0123456789¹²³")})
LONGEST = 200  # bytes: file systems stop at 255, and a scratch name is a little longer
DEEPEST = 12
STUDENT = re.compile(r"[\w-][\w.@+-]{0,99}", re.ASCII)


def why_unsafe(name: str) -> str | None:
    """Why one part of a path cannot be used as a file's name; None where it can."""
    if name in ("", ".", ".."):
        return "a part of its path is empty, '.' or '..'"
    if any(character in '/\\:*?"<>|' or unicodedata.category(character) in ("Cc", "Cs") for character in name):
        return "its name holds a character that no file name may hold"
    if name[-1] in " .":
        return "its name ends in a space or a dot"
    if name.split(".")[0].rstrip(" ").casefold() in DEVICES:
        return "its name is a device of Windows"
    if len(name.encode("utf-8")) > LONGEST:
        return f"its name is longer than {LONGEST} bytes"
    return None


def safe_parts(path: str) -> tuple[str, ...]:
    """The parts of an archive's path, with either slash between them.

    Raises: ValueError saying why the path could lead out of its folder, or cannot exist on some platform.
    """
    if re.match(r"[/\\]|[A-Za-z]:", path):
        raise ValueError("its path is absolute")
    parts = tuple(re.split(r"[/\\]", path.rstrip("/\\")))
    if len(parts) > DEEPEST:
        raise ValueError(f"it lies deeper than {DEEPEST} folders")
    for part in parts:
        reason = why_unsafe(part)
        if reason:
            raise ValueError(reason)
    return parts


def is_student_id(name: str) -> bool:
    """Whether a student's id may name a folder: letters, digits and `.@+-_`, not a dot in front."""
    return STUDENT.fullmatch(name) is not None and why_unsafe(name) is None


def printable(text: str, longest: int = 120) -> str:
    """Somebody else's text as one line of a log: nothing that moves a cursor, and not too long."""
    line = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return line if len(line) <= longest else line[: longest - 1] + "…"
