import ast
import io
import json
import subprocess
import sys
import zipfile

import pytest

from llmcourse.data.corpora import ABOUT, NAMES, Corpus, formats, load, public
from llmcourse.data.corpora.downloads import FOLDER_VARIABLE, Source
from llmcourse.data.corpora.public import PUBLIC
from llmcourse.data.corpora.splits import split_of
from llmcourse.world import World
from llmcourse.world.world import SPLITS
from tests.data.corpus_server import serving


def zipped(**files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


TOLD = [f"Story {n} of a fox.\n\nIt ended well — mostly." for n in range(9)]
STORIES = "".join(f"{story}\n<|endoftext|>\n" for story in TOLD).encode()
SPEECHES = [f"Speaker {n}:\nWhat says the {n}th of us?" for n in range(100)]
ARTICLES = [f" = Title {n} = \n \n Text , with @-@ signs . \n \n = = Part = = \n \n More . \n \n" for n in range(3)]
ROWS = [f"Page {n} of the web." for n in range(300)]
DOLLY = [
    {"instruction": f"Ask {n}?", "context": "Look here." if n % 2 else "", "response": f"Answer {n}.", "category": "x"}
    for n in range(100)
]


def rows_page(first, cut=()):
    rows = [
        {"row_idx": n, "row": {"text": ROWS[n], "id": str(n)}, "truncated_cells": ["text"] if n in cut else []}
        for n in range(first, first + 100)
    ]
    return json.dumps({"features": [], "rows": rows, "num_rows_total": 300}).encode()


MADE = {
    "tiny-shakespeare": {"input.txt": ("\n\n".join(SPEECHES) + "\n").encode()},
    "tinystories": {"train.txt": STORIES, "valid.txt": STORIES},
    "tinystories-sample": {"train.txt": STORIES, "valid.txt": STORIES},
    "fineweb-edu-sample": {f"rows-{first:05}.json": rows_page(first, cut=(5,)) for first in (0, 100, 200)},
    "wikitext-2": {
        "wikitext-2-raw-v1.zip": zipped(
            **{f"wikitext-2-raw/wiki.{split}.raw": " \n" + "".join(ARTICLES).replace("Text", split) for split in SPLITS}
        )
    },
    "sst-2": {
        "SST-2.zip": zipped(
            **{
                "SST-2/train.tsv": 'sentence\tlabel\na "fine film \t1\ndull , dull\t0\n',
                "SST-2/dev.tsv": "sentence\tlabel\nhonest\t1\n",
            }
        )
    },
    "dolly-15k": {"databricks-dolly-15k.jsonl": "\n".join(map(json.dumps, DOLLY)).encode() + b"\n"},
}


@pytest.fixture
def made(monkeypatch, tmp_path):
    """Every public corpus at an address of this machine, with made files; gives the site."""
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    with serving() as site:
        for name, corpus in PUBLIC.items():
            served = {file: Source(f"{site.url}/{name}/{file}", file) for file in MADE[name]}
            site.files |= {f"/{name}/{file}": content for file, content in MADE[name].items()}
            files = {
                split: tuple(served[source.file] for source in sources if source.file in served)
                for split, sources in corpus.files.items()
            }
            monkeypatch.setitem(PUBLIC, name, public.PublicCorpus(corpus.about, files, corpus.read))
        yield site


def read(name, split="train", **options):
    return load(name, split, progress=False, **options)


# -- every corpus ----------------------------------------------------------------------------------------------------
def test_every_corpus_is_listed_with_a_sentence():
    assert NAMES[:3] == ("microworld", "stdlib-code", "stdlib-docs")
    assert set(NAMES[3:]) == set(MADE)
    assert all(sentence.endswith(".") for sentence in ABOUT.values())


@pytest.mark.parametrize("name", sorted(MADE))
def test_the_splits_of_a_public_corpus_differ_and_come_from_the_cache_the_second_time(made, name):
    corpora = {split: read(name, split) for split in PUBLIC[name].files}
    assert all(corpus.texts for corpus in corpora.values())
    if "stories" not in name:  # theirs are made with one text for both splits
        texts = [text for corpus in corpora.values() for text in corpus.texts]
        assert len(texts) == len(set(texts))
    asked = len(made.requests)
    assert {split: read(name, split) for split in PUBLIC[name].files} == corpora
    assert len(made.requests) == asked


def test_the_first_documents_are_those_of_the_whole(made, tmp_path):
    for name in ("microworld", "dolly-15k", "tinystories"):
        few, more = read(name, n=2), read(name, n=5)
        assert len(few) == 2
        assert few.texts == more.texts[:2]
        assert (few.labels is None) == (more.labels is None)
        assert few.labels is None or few.labels == more.labels[:2]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "imdb"}, r"Corpora are microworld, .*: 'imdb' is not one"),
        ({"name": "sst-2", "split": "test"}, "sst-2 has the splits train, valid, not 'test'"),
        ({"split": "dev"}, "microworld has the splits train, valid, test, not 'dev'"),
        ({"n": 0}, "n must be at least 1, not 0"),
    ],
)
def test_bad_input_gets_one_line(options, message):
    with pytest.raises(ValueError, match=message):
        load(**options)


@pytest.mark.parametrize("name", sorted(MADE))
def test_offline_every_public_corpus_says_so(name, tmp_path):
    with pytest.raises(ConnectionError, match=f"{name} needs the network once") as error:
        load(name, cache=tmp_path, progress=False)
    assert "\n" not in str(error.value)


def test_every_address_is_encrypted_and_what_has_a_checksum_has_a_whole_one():
    sources = {source for corpus in PUBLIC.values() for files in corpus.files.values() for source in files}
    assert len(sources) == 27
    for source in sources:
        assert source.url.startswith("https://")
        assert source.sha256 is None or (len(source.sha256) == 64 and int(source.sha256, 16))
        assert source.sha256 is None or source.max_bytes is None


@pytest.mark.slow
def test_what_needs_no_download_loads_no_network_library():
    code = (
        "from llmcourse.data import corpora; corpora.load('microworld', n=2); import sys;"
        "print(*(name for name in ('requests', 'pooch', 'urllib3') if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_only_the_corpora_and_the_hub_know_the_network(root):
    reaching = set()
    for path in (root / "llmcourse").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if {name.split(".")[0] for name in names} & {"requests", "pooch", "urllib3", "httpx"}:
                reaching.add(path.parent.relative_to(root / "llmcourse").as_posix())
    assert "data/corpora" in reaching
    assert {folder for folder in reaching if not folder.startswith("hub")} == {"data/corpora"}


# -- each corpus -----------------------------------------------------------------------------------------------------
def test_the_microworld_is_the_default_and_its_labels_are_moods():
    corpus = load(n=20)
    documents = World(seed=0).documents(20)
    assert corpus.texts == tuple(document.text for document in documents)
    assert corpus.labels == tuple(document.labels["mood"] for document in documents)
    assert set(corpus.labels) <= set(World(seed=0).moods)
    assert (corpus.name, corpus.split) == ("microworld", "train")
    assert not set(load(split="test", n=20).texts) & set(corpus.texts)


def test_the_plays_are_cut_between_speeches_and_nothing_is_lost(made):
    parts = [read("tiny-shakespeare", split).texts for split in SPLITS]
    assert [len(part) for part in parts] == [1, 1, 1]
    assert "\n\n".join(part[0] for part in parts) == "\n\n".join(SPEECHES)
    assert [part[0].count("Speaker") for part in parts] == pytest.approx([80, 10, 10], abs=1)


def test_stories_keep_their_paragraphs_and_a_story_that_was_cut_off_is_left_out(made, tmp_path):
    assert read("tinystories").texts == tuple(TOLD)
    cut = STORIES.rindex("—".encode()) + 1  # inside a character of the last story
    path = tmp_path / "cut.txt"
    path.write_bytes(STORIES[:cut])
    assert [text for text, _ in public.read_stories([path], "train")] == TOLD[:-1]


def test_an_article_goes_from_its_title_to_the_next(made):
    corpus = read("wikitext-2", "valid")
    assert len(corpus) == 3
    assert [text.split("\n")[0] for text in corpus.texts] == [f"= Title {n} = " for n in range(3)]
    assert all("\n valid , with @-@ signs . \n \n = = Part = = \n" in text for text in corpus.texts)
    assert corpus.labels is None


def test_phrases_come_with_their_feeling_and_quotation_marks_are_characters(made):
    corpus = read("sst-2")
    assert corpus == Corpus("sst-2", "train", ('a "fine film', "dull , dull"), ("positive", "negative"))
    assert read("sst-2", "valid").texts == ("honest",)


def test_instructions_carry_their_passage_and_their_answer(made):
    found = {}
    for split in SPLITS:
        corpus = read("dolly-15k", split)
        found |= dict(zip(corpus.texts, corpus.labels, strict=True))
        assert all(split_of(text.split("\n")[0]) == split for text in corpus.texts)
    assert found["Ask 2?"] == "Answer 2."
    assert found["Ask 3?\n\nLook here."] == "Answer 3."
    assert len(found) == 100


def test_web_pages_come_from_every_file_without_those_that_were_shortened(made):
    texts = [text for split in SPLITS for text in read("fineweb-edu-sample", split).texts]
    assert sorted(texts) == sorted(text for n, text in enumerate(ROWS) if n != 5)


def test_the_pages_asked_for_follow_each_other():
    offsets = [source.url.split("offset=")[1] for source in PUBLIC["fineweb-edu-sample"].files["train"]]
    assert offsets == [f"{100 * page}&length=100" for page in range(20)]


# -- formats that are not what they should be --------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("content", "message"),
    [(b"no archive", "is no zip archive that holds a.txt"), (zipped(b="x"), "is no zip archive that holds a.txt")],
)
def test_an_archive_without_the_file_is_named(tmp_path, content, message):
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        formats.member(path, "a.txt")


def test_a_table_with_other_columns_or_a_short_line_is_named():
    with pytest.raises(ValueError, match="should have the columns sentence, label; it has index, sentence"):
        list(formats.columns("index\tsentence\n1\tx\n", ("sentence", "label")))
    with pytest.raises(ValueError, match="Line 3 of the table has 1 cells, not 2"):
        list(formats.columns("sentence\tlabel\nx\t1\ny\n", ("sentence", "label")))


def test_columns_are_found_by_their_titles():
    assert list(formats.columns("id\tb\ta\n0\t1\t2\n", ("a", "b"))) == [("2", "1")]


@pytest.mark.parametrize("line", ["{", "[1]", '{"b": 1}'])
def test_a_line_that_is_no_record_is_named(tmp_path, line):
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": 1}\n\n' + line)
    with pytest.raises(ValueError, match=r"Line 3 of .*a\.jsonl is not JSON with a; delete the file"):
        list(formats.json_lines(path, ("a",)))


def test_a_page_of_rows_that_is_none_is_named(tmp_path):
    path = tmp_path / "rows.json"
    path.write_text('{"error": "busy"}')
    with pytest.raises(ValueError, match=r"rows\.json is not JSON with rows"):
        list(formats.rows(path, "text"))
