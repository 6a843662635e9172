"""Real text without a download: the code of Python's standard library, and the help that comes with it."""

import hashlib
import importlib
import json
import os
import sysconfig
import tokenize
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from llmcourse.data.corpora.duplicates import clusters, without_near_duplicates
from llmcourse.data.corpora.splits import place, share_out, split_of
from llmcourse.data.files import atomic_path
from llmcourse.world.world import SPLITS

Choice = dict[str, list[str]]  # the names of each split, in their order

# tests, what was installed beside the library, and the help topics, which are a corpus of their own
LEFT_OUT = {"test", "tests", "idle_test", "site-packages", "dist-packages", "__pycache__", "pydoc_data"}
# written when this Python was built or installed: they tell of the machine
MADE_HERE = ("_sysconfigdata", "sitecustomize", "usercustomize")
DECIDES = ("stdlib.py", "duplicates.py", "splits.py")  # a change in one of them makes old choices void


def code(split: str, cache: Path, folder: Path | None = None) -> list[str]:
    """The files of the standard library that belong to the split, in an order that mixes its packages.

    A file's split hangs on its path alone, so that it is the same in every version of Python. Near-duplicates are
    left out wherever they are. Raises: ValueError where this Python keeps no library as files.
    """
    texts = code_files(folder)
    choice = remembered(cache / "stdlib-code", texts, choose_code)
    return [texts[name] for name in choice[split]]


def docs(split: str, cache: Path, topics: Mapping[str, str] | None = None) -> list[str]:
    """The topics of Python's own help that belong to the split.

    Topics quote each other, so those that share a passage are in the same split, and a topic that says little new is
    left out. Raises: ValueError where this Python has no topics.
    """
    texts = help_topics() if topics is None else topics
    choice = remembered(cache / "stdlib-docs", texts, choose_docs)
    return [texts[name] for name in choice[split]]


def choose_code(texts: Mapping[str, str]) -> Choice:
    """The names that are kept, by split: each file by itself."""
    choice: Choice = {split: [] for split in SPLITS}
    for name in sorted(without_near_duplicates(texts), key=place):
        choice[split_of(name)].append(name)
    return choice


def choose_docs(texts: Mapping[str, str]) -> Choice:
    """The names that are kept, by split: those that share a passage together."""
    kept = {name: texts[name] for name in without_near_duplicates(texts)}
    return share_out(clusters(kept), {name: len(text) for name, text in kept.items()})


def code_files(folder: Path | None = None) -> dict[str, str]:
    """Every Python file of the library under its path there, without tests and what this machine made itself."""
    library = Path(sysconfig.get_path("stdlib")) if folder is None else folder
    texts = {}
    for here, folders, files in os.walk(library):
        folders[:] = [name for name in folders if name not in LEFT_OUT and not name.startswith("config-")]
        for file in files:
            if not file.endswith(".py") or file.startswith(MADE_HERE):
                continue
            path = Path(here, file)
            # what Python itself cannot read is not code
            with suppress(SyntaxError, UnicodeDecodeError), tokenize.open(path) as lines:
                texts[path.relative_to(library).as_posix()] = lines.read()
    if not texts:
        raise ValueError(f"This Python keeps no standard library as files in {library}; take another corpus.")
    return dict(sorted(texts.items()))


def help_topics() -> dict[str, str]:
    """What `help("topics")` lists, by name."""
    try:
        topics = importlib.import_module("pydoc_data.topics").topics
    except ImportError:
        raise ValueError("This Python was installed without pydoc_data, its help; take another corpus.") from None
    return dict(sorted(topics.items()))


def remembered(folder: Path, texts: Mapping[str, str], choose: Callable[[Mapping[str, str]], Choice]) -> Choice:
    """What `choose` makes of these very texts, kept in `folder` for the next time."""
    digest = hashlib.sha256()
    for content in [*(Path(__file__).with_name(name).read_bytes() for name in DECIDES), json.dumps(texts).encode()]:
        digest.update(content)
    path = folder / f"{digest.hexdigest()[:16]}.json"
    with suppress(OSError, ValueError):
        return json.loads(path.read_text(encoding="utf-8"))
    choice = choose(texts)
    with suppress(OSError):  # a folder that cannot be written to costs time, not the corpus
        with atomic_path(path) as scratch:
            scratch.write_text(json.dumps(choice), encoding="utf-8")
    return choice
