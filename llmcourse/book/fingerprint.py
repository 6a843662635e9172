"""One short hash for everything, beside a chapter's own text, that can change what the chapter prints."""

import hashlib
import sys
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

# Packages whose version shows in outputs even where the lock was not used to install them.
VISIBLE_PACKAGES = ("torch", "numpy", "matplotlib", "ipykernel", "tiktoken")
SKIPPED_FOLDERS = {"__pycache__", ".ipynb_checkpoints"}


def execution_fingerprint(root: Path) -> str:
    """The hash that names the execution cache: the package, its data, the lock and the Python that runs them.

    `llmcourse/book` is left out: it decides how a page looks, never what a cell prints.
    """
    package = root / "llmcourse"
    kept = (path for path in source_files(package) if path.relative_to(package).parts[0] != "book")
    return _digest(root, [*kept, root / "requirements.lock"], environment())


def page_fingerprint(root: Path) -> str:
    """The hash that names one look of the pages: `execution_fingerprint` and the book machine itself."""
    extra = [*source_files(root / "llmcourse" / "book"), root / "_config.yml", root / "_toc.yml"]
    return _digest(root, extra, [execution_fingerprint(root)])


def source_files(folder: Path) -> Iterator[Path]:
    """Every file below `folder` except compiled ones, in a fixed order."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not SKIPPED_FOLDERS.intersection(path.parts) and path.suffix not in {".pyc", ".tmp"}:
            yield path


def environment() -> list[str]:
    """The Python version and those of the packages that show in outputs."""
    versions = [f"python {sys.version_info.major}.{sys.version_info.minor}"]
    for name in VISIBLE_PACKAGES:
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            versions.append(f"{name} absent")
    return versions


def _digest(root: Path, files: Iterable[Path], words: Iterable[str]) -> str:
    total = hashlib.sha256()
    for word in words:
        total.update(word.encode() + b"\0")
    for path in files:
        total.update(path.relative_to(root).as_posix().encode() + b"\0")
        # the length goes first, so that bytes cannot move from one file to the next unseen
        content = path.read_bytes() if path.exists() else b""
        total.update(str(len(content)).encode() + b"\0" + content)
    return total.hexdigest()[:16]
