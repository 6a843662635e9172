import ast
import sys
import sysconfig
from pathlib import Path

import pytest

from llmcourse.data.corpora import load, stdlib
from llmcourse.data.corpora.duplicates import PASSAGE, passages
from llmcourse.data.corpora.splits import split_of
from llmcourse.world.world import SPLITS

N_FILES = 60


def function(n):
    """A Python file unlike the others."""
    return "\n".join(f"def part_{n}_{i}(value_{n}):\n    return value_{n} * {n * i}" for i in range(20)) + "\n"


@pytest.fixture
def library(tmp_path):
    """A small standard library, with much beside it that is none of it."""
    folder = tmp_path / "lib"
    good = {f"pack_{n % 3}/module_{n}.py": function(n) for n in range(N_FILES)}
    bad = {
        "test/test_a.py": function(100),
        "pack_0/tests/test_b.py": function(101),
        "site-packages/other.py": function(102),
        "config-3.11-linux/made.py": function(103),
        "_sysconfigdata__linux.py": function(104),
        "sitecustomize.py": function(105),
        "pydoc_data/topics.py": function(106),
        "pack_1/data.txt": "no code",
        "pack_1/copy.py": function(7) + "\n# the same again\n",
        "pack_1/__init__.py": "",
    }
    for name, text in (good | bad).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_the_library_s_own_files_are_read_and_nothing_beside_them(library):
    found = stdlib.code_files(library)
    assert set(found) == {f"pack_{n % 3}/module_{n}.py" for n in range(N_FILES)} | {
        "pack_1/copy.py",
        "pack_1/__init__.py",
    }
    assert found["pack_0/module_3.py"] == function(3)
    assert list(found) == sorted(found)


def test_files_are_decoded_as_python_does_and_what_it_cannot_read_is_left_out(library):
    (library / "latin.py").write_bytes("# -*- coding: latin-1 -*-\nname = 'naïve'\r\n".encode("latin-1"))
    (library / "wrong.py").write_bytes(b"name = '\xff'\n")
    (library / "unknown.py").write_bytes(b"# -*- coding: no-such-encoding -*-\n")
    found = stdlib.code_files(library)
    assert found["latin.py"] == "# -*- coding: latin-1 -*-\nname = 'naïve'\n"
    assert not {"wrong.py", "unknown.py"} & set(found)


def test_every_file_is_in_one_split_that_its_path_decides_and_copies_are_in_none(library, tmp_path):
    texts = {split: stdlib.code(split, tmp_path, library) for split in SPLITS}
    for n in range(N_FILES):
        name, home = f"pack_{n % 3}/module_{n}.py", [split for split in SPLITS if function(n) in texts[split]]
        # the copy of module 7 is longer by a comment, so that it is the one to stay
        assert home == ([] if n == 7 else [split_of(name)]), name
    assert sum(map(len, texts.values())) == N_FILES


def test_a_prefix_mixes_the_packages(library, tmp_path):
    first = stdlib.code("train", tmp_path, library)[:12]
    packages = {n % 3 for n in range(N_FILES) if function(n) in first}
    assert packages == {0, 1, 2}


def test_the_choice_is_made_once_for_the_same_texts_and_anew_for_others(library, tmp_path, monkeypatch):
    made = []
    choose = stdlib.choose_code
    monkeypatch.setattr(stdlib, "choose_code", lambda texts: made.append(len(texts)) or choose(texts))
    first = stdlib.code("train", tmp_path, library)
    assert stdlib.code("train", tmp_path, library) == first
    assert len(made) == 1
    (library / "new.py").write_text(function(200))
    assert len(stdlib.code("train", tmp_path, library)) == len(first) + (split_of("new.py") == "train")
    assert len(made) == 2


def test_a_cache_that_is_torn_or_cannot_be_written_costs_only_time(library, tmp_path):
    first = stdlib.code("valid", tmp_path, library)
    (record,) = (tmp_path / "stdlib-code").iterdir()
    record.write_text(record.read_text()[:20])
    assert stdlib.code("valid", tmp_path, library) == first
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    assert stdlib.code("valid", in_the_way, library) == first


def test_a_python_without_a_library_in_files_or_without_help_says_so(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="This Python keeps no standard library as files in"):
        stdlib.code("train", tmp_path, tmp_path / "python.zip")
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", None)
    with pytest.raises(ValueError, match="This Python was installed without pydoc_data"):
        stdlib.docs("train", tmp_path)


def test_topics_that_quote_each_other_share_a_split(tmp_path):
    quoted = " ".join(f"word{n}" for n in range(PASSAGE))
    topics = {f"topic{n}": " ".join(f"topic{n}word{i}" for i in range(60)) for n in range(60)}
    quoting = [f"topic{n}" for n in range(0, 60, 13)]
    topics |= {name: f"{topics[name]} {quoted}" for name in quoting}
    texts = {split: stdlib.docs(split, tmp_path, topics) for split in SPLITS}
    assert sum(map(len, texts.values())) == 60
    assert all(texts.values())
    assert len({split for split in SPLITS for text in texts[split] if quoted in text}) == 1


@pytest.mark.slow
def test_the_help_of_this_python_has_no_passage_in_two_splits(tmp_path):
    texts = {split: load("stdlib-docs", split, cache=tmp_path).texts for split in SPLITS}
    own = {split: {p for text in texts[split] for p in passages(text, PASSAGE)} for split in SPLITS}
    for one, other in (("train", "valid"), ("train", "test"), ("valid", "test")):
        assert not own[one] & own[other]
    sizes = {split: sum(map(len, texts[split])) for split in SPLITS}
    assert sizes["train"] > 100_000
    assert min(sizes.values()) > 10_000


@pytest.mark.slow
def test_the_library_of_this_python_is_large_clean_and_split_as_said(tmp_path):
    texts = {split: load("stdlib-code", split, cache=tmp_path).texts for split in SPLITS}
    sizes = {split: sum(map(len, texts[split])) for split in SPLITS}
    assert sum(sizes.values()) > 5_000_000
    assert 0.6 < sizes["train"] / sum(sizes.values()) < 0.95
    assert min(sizes.values()) > 100_000
    everything = [text for split in SPLITS for text in texts[split]]
    for text in everything[::10]:
        ast.parse(text)
    json_decoder = Path(sysconfig.get_path("stdlib"), "json", "decoder.py").read_text(encoding="utf-8")
    assert json_decoder in texts[split_of("json/decoder.py")]
