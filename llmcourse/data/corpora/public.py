"""The usual public corpora: where each is, and how its documents are read.

Nothing here was tried against the network. The addresses, and the checksums beside pinned versions, were read in public
repositories that fetch the same files; a file without one is held to the checksum that it had when it first came.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from llmcourse.data.corpora import formats
from llmcourse.data.corpora.downloads import Source
from llmcourse.data.corpora.splits import HELD_OUT, split_of
from llmcourse.world.world import SPLITS

HUB = "https://huggingface.co/datasets"
Example = tuple[str, str | None]  # a text and its label
Read = Callable[[list[Path], str], Iterable[Example]]

STORY_END = "<|endoftext|>"
STORIES = f"{HUB}/roneneldan/TinyStories/resolve/f54c09fd23315a6f9c86f9dc80f725de7d8f9c64"
SAMPLE_BYTES = 50_000_000
N_PAGES, PAGE_ROWS = 20, 100  # a hundred is the most that one answer holds
FEELINGS = {"0": "negative", "1": "positive"}


@dataclass(frozen=True)
class PublicCorpus:
    """The files that each split is read from, and the reader, which gets their places here and the split's name."""

    about: str
    files: Mapping[str, tuple[Source, ...]]
    read: Read


def read_plays(paths: list[Path], split: str) -> Iterator[Example]:
    """One long text: the first of the speeches for training, the last of them held out."""
    text = paths[0].read_text(encoding="utf-8")
    cuts = [0, *(_end_of_speech(text, share) for share in (1 - 2 * HELD_OUT, 1 - HELD_OUT)), len(text)]
    first = SPLITS.index(split)
    yield text[cuts[first] : cuts[first + 1]].strip("\n"), None


def _end_of_speech(text: str, share: float) -> int:
    """The first empty line after that share of the text."""
    found = text.find("\n\n", int(share * len(text)))
    return len(text) if found < 0 else found


def read_stories(paths: list[Path], split: str) -> Iterator[Example]:
    """The stories that came whole."""
    for text in formats.separated(paths[0], STORY_END):
        yield text, None


def read_wikitext(paths: list[Path], split: str) -> Iterator[Example]:
    """The articles, with WikiText's own spaces around punctuation."""
    for text in formats.articles(formats.member(paths[0], f"wikitext-2-raw/wiki.{split}.raw")):
        yield text, None


def read_sst2(paths: list[Path], split: str) -> Iterator[Example]:
    """Phrases from film reviews, "negative" or "positive"."""
    name = {"train": "train", "valid": "dev"}[split]
    table = formats.member(paths[0], f"SST-2/{name}.tsv")
    for text, label in formats.columns(table, ("sentence", "label")):
        yield text.strip(), FEELINGS[label]


def read_dolly(paths: list[Path], split: str) -> Iterator[Example]:
    """Instructions, each followed by the passage that it asks about, if there is one; the answer is the label."""
    for row in formats.json_lines(paths[0], ("instruction", "context", "response")):
        if split_of(row["instruction"]) == split:
            yield "\n\n".join(filter(None, (row["instruction"], row["context"]))), row["response"]


def read_pages(paths: list[Path], split: str) -> Iterator[Example]:
    """The web pages whose text belongs to the split."""
    for path in paths:
        for text in formats.rows(path, "text"):
            if split_of(text) == split:
                yield text, None


def _everywhere(*sources: Source) -> dict[str, tuple[Source, ...]]:
    return dict.fromkeys(SPLITS, sources)


def _viewer_page(page: int) -> Source:
    place = f"dataset=HuggingFaceFW%2Ffineweb-edu&config=sample-10BT&split=train&offset={page * PAGE_ROWS}"
    url = f"https://datasets-server.huggingface.co/rows?{place}&length={PAGE_ROWS}"
    return Source(url, f"rows-{page * PAGE_ROWS:05}.json")


VALID_STORIES = Source(
    f"{STORIES}/TinyStoriesV2-GPT4-valid.txt",
    "valid.txt",
    "6874bae9a4c1a4e7edcf0e53b86c17817e9cf881fc75ff2368da457b80c0585d",
)

PUBLIC: dict[str, PublicCorpus] = {
    "tiny-shakespeare": PublicCorpus(
        "Scenes from Shakespeare's plays as one text.",
        _everywhere(
            Source(
                "https://raw.githubusercontent.com/karpathy/char-rnn/6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e/"
                "data/tinyshakespeare/input.txt",
                "input.txt",
                "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
            )
        ),
        read_plays,
    ),
    "tinystories": PublicCorpus(
        "TinyStories, those that GPT-4 wrote: a download of 2.2 GB.",
        {
            "train": (
                Source(
                    f"{STORIES}/TinyStoriesV2-GPT4-train.txt",
                    "train.txt",
                    "6418d412de72888f52b5142c761ac21a582f7d1166f0bfbdb5f03ccfdec90443",
                ),
            ),
            "valid": (VALID_STORIES,),
        },
        read_stories,
    ),
    "tinystories-sample": PublicCorpus(
        f"The first {SAMPLE_BYTES // 1_000_000} MB of TinyStories' training file, and all of its validation file.",
        {
            "train": (Source(f"{STORIES}/TinyStoriesV2-GPT4-train.txt", "train.txt", max_bytes=SAMPLE_BYTES),),
            "valid": (VALID_STORIES,),
        },
        read_stories,
    ),
    "fineweb-edu-sample": PublicCorpus(
        f"The first {N_PAGES * PAGE_ROWS:,} web pages of FineWeb-Edu's smallest sample.",
        _everywhere(*(_viewer_page(page) for page in range(N_PAGES))),
        read_pages,
    ),
    "wikitext-2": PublicCorpus(
        "Wikipedia articles, in the raw version of WikiText-2.",
        _everywhere(
            Source(
                f"{HUB}/ggml-org/ci/resolve/927b3642933080f1b0e811e2f916e14c292992f9/wikitext-2-raw-v1.zip",
                "wikitext-2-raw-v1.zip",
                "ef7edb566e3e2b2d31b29c1fdb0c89a4cc683597484c3dc2517919c615435a11",
            )
        ),
        read_wikitext,
    ),
    "sst-2": PublicCorpus(
        "Phrases from film reviews, labelled negative or positive.",
        dict.fromkeys(
            ("train", "valid"),
            (
                Source(
                    "https://dl.fbaipublicfiles.com/glue/data/SST-2.zip",
                    "SST-2.zip",
                    "d67e16fb55739c1b32cdce9877596db1c127dc322d93c082281f64057c16deaa",
                ),
            ),
        ),
        read_sst2,
    ),
    "dolly-15k": PublicCorpus(
        "Instructions that people wrote, with their answers as labels.",
        _everywhere(
            Source(
                f"{HUB}/databricks/databricks-dolly-15k/resolve/bdd27f4d94b9c1f951818a7da7fd7aeea5dbff1a/"
                "databricks-dolly-15k.jsonl",
                "databricks-dolly-15k.jsonl",
                "2df9083338b4abd6bceb5635764dab5d833b393b55759dffb0959b6fcbf794ec",
            )
        ),
        read_dolly,
    ),
}
