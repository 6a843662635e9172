"""One way in to every corpus: a name and a split give documents, and labels where the corpus has them."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from llmcourse.data.corpora import stdlib
from llmcourse.data.corpora.downloads import cache_folder, fetch
from llmcourse.data.corpora.public import PUBLIC, Example
from llmcourse.world import World
from llmcourse.world.world import SPLITS

N_STORIES = 5_000  # of the microworld, where nobody says how many

BUILT_IN = {
    "microworld": "Stories of the course's own small world, labelled with their mood; there is no end of them.",
    "stdlib-code": "The Python files of this Python's standard library.",
    "stdlib-docs": 'The topics of Python\'s own help, as in help("topics").',
}
ABOUT: Mapping[str, str] = {**BUILT_IN, **{name: corpus.about for name, corpus in PUBLIC.items()}}
NAMES = tuple(ABOUT)


@dataclass(frozen=True)
class Corpus:
    """The documents of one split. `labels` stand beside `texts`: a class, or the answer to an instruction."""

    name: str
    split: str
    texts: tuple[str, ...]
    labels: tuple[str, ...] | None = None

    def __len__(self) -> int:
        """How many documents there are."""
        return len(self.texts)


def load(
    name: str = "microworld",
    split: str = "train",
    n: int | None = None,
    *,
    cache: str | Path | None = None,
    progress: bool = True,
) -> Corpus:
    """The documents of a corpus, or the first `n` of them; `ABOUT` says what each corpus is.

    A public corpus is fetched when it is first asked for, and kept in `cache`: a folder, else the one that the
    variable LLMCOURSE_CACHE names, else one that this system has for such things. Of the microworld, which has no
    end, there are 5,000 documents where `n` says nothing.
    Raises: ValueError for an unknown corpus or split, or for a file that is not what it was; ConnectionError where a
    file is missing and cannot be fetched.
    """
    if name not in NAMES:
        raise ValueError(f"Corpora are {', '.join(NAMES)}: {name!r} is not one.")
    splits = tuple(PUBLIC[name].files) if name in PUBLIC else SPLITS
    if split not in splits:
        raise ValueError(f"{name} has the splits {', '.join(splits)}, not {split!r}.")
    if n is not None and n < 1:
        raise ValueError(f"n must be at least 1, not {n}.")
    if name == "microworld":
        stories = World(seed=0).documents(N_STORIES if n is None else n, split)
        return _corpus(name, split, [(story.text, story.labels["mood"]) for story in stories])
    folder = cache_folder(cache)
    if name in PUBLIC:
        public = PUBLIC[name]
        paths = fetch(name, public.files[split], folder, progress)
        return _corpus(name, split, list(islice(public.read(paths, split), n)))
    texts = stdlib.code(split, folder) if name == "stdlib-code" else stdlib.docs(split, folder)
    return _corpus(name, split, [(text, None) for text in texts[:n]])


def _corpus(name: str, split: str, examples: list[Example]) -> Corpus:
    texts = tuple(text for text, _ in examples)
    labels = tuple(label for _, label in examples if label is not None)
    return Corpus(name, split, texts, labels or None)
