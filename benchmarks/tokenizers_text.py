"""The text of the tokenizer benchmarks: help topics and modules that every Python install carries."""

import pydoc_data.topics
import sysconfig
from pathlib import Path


def standard_library_text(n_bytes: int = 5_000_000) -> list[str]:
    """Python's help topics, then its modules by name, until they hold `n_bytes`."""
    texts = [pydoc_data.topics.topics[name] for name in sorted(pydoc_data.topics.topics)]
    size = sum(len(text.encode()) for text in texts)
    library = Path(sysconfig.get_path("stdlib"))
    for path in sorted([*library.glob("*.py"), *library.glob("*/*.py")], key=lambda path: path.as_posix()):
        if size >= n_bytes:
            break
        if "site-packages" in path.parts:
            continue
        try:
            texts.append(path.read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            continue  # a few modules test other encodings
        size += len(texts[-1].encode())
    return texts
