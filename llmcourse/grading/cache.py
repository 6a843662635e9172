"""Results under the hash of all that they depend on: whatever is there was computed from the very same things."""

import functools
import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import llmcourse
from llmcourse.data.files import atomic_path

MOST_BYTES = 2**30  # of all results together, older ones of other runs; some ten thousand submissions
LIBRARIES = ("torch", "numpy", "ipython")


@dataclass(frozen=True)
class Result:
    """What became of one submission: the executed notebook as JSON text, or why there is none."""

    notebook: str | None
    seconds: float
    error: str | None = None


@functools.cache
def fingerprint() -> str:
    """A hash of this package's files, and the versions of Python and of the libraries that decide results."""
    digest = hashlib.sha256()
    root = Path(llmcourse.__file__).parent
    for path in sorted(root.rglob("*")):
        if path.suffix in {".py", ".json", ".safetensors"} and path.is_file():
            digest.update(f"{path.relative_to(root).as_posix()}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
    versions = {name: importlib.metadata.version(name) for name in LIBRARIES}
    digest.update(json.dumps({**versions, "python": platform.python_version()}, sort_keys=True).encode())
    return digest.hexdigest()


def key_of(source: str, handed_in: str, options: Mapping[str, Any], code: str) -> str:
    """The name of a result. A class secret among the options goes in, and cannot be got out again."""
    parts = [source, handed_in, json.dumps(options, sort_keys=True), code]
    digest = hashlib.sha256()
    for part in parts:
        content = part.encode("utf-8")
        # lengths keep the parts apart
        digest.update(f"{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


class Cache:
    """Results in one folder, a file for each; a file is whole or not there, whenever the process dies."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.json"

    def get(self, key: str) -> Result | None:
        """The result, or None where there is none that can be read."""
        path = self._path(key)
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if content.pop("key") != key:
                return None
            result = Result(**content)
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError, AttributeError, OSError):
            return None  # a damaged disc costs the work, and no score
        return result if isinstance(result.notebook, str) else None

    def prune(self, needed: Collection[str], most: int = MOST_BYTES) -> None:
        """Remove the oldest results until at most so many bytes are left; those that are needed stay in any case."""
        found = []
        for path in self.folder.glob("*/*.json"):
            with suppress(OSError):  # another run may prune too
                about = path.stat()
                found.append((about.st_mtime, path.stem, about.st_size, path))
        total = sum(size for _, _, size, _ in found)
        for _, key, size, path in sorted(found):
            if total <= most:
                return
            if key not in needed:
                with suppress(OSError):
                    path.unlink()
                total -= size

    def put(self, key: str, result: Result) -> None:
        """Keep a result. One without a notebook is not kept: the next run tries again."""
        if result.notebook is None:
            return
        with atomic_path(self._path(key)) as scratch:
            scratch.write_text(json.dumps({"key": key, **asdict(result)}), encoding="utf-8")
