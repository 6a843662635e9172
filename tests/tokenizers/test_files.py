"""Tokenizer files: whole or not at all, and clear words about a damaged one."""

import json
import stat

import pytest

from llmcourse.tokenizers import CL100K_PATTERN, ByteBPE
from tests.tokenizers.hard_texts import HARD_TEXTS, TRAINING_TEXTS


@pytest.fixture(scope="module")
def tokenizer():
    return ByteBPE.train(TRAINING_TEXTS, 330, ["<|end|>", "<|usér|>"], CL100K_PATTERN)


@pytest.fixture
def saved(tokenizer, tmp_path):
    path = tmp_path / "tokenizer.json"
    tokenizer.save(path)
    return path


def test_loading_undoes_saving(tokenizer, saved):
    loaded = ByteBPE.load(saved)
    assert (loaded.pairs, loaded.specials, loaded.pattern) == (tokenizer.pairs, tokenizer.specials, tokenizer.pattern)
    for text in HARD_TEXTS.values():
        assert loaded.encode(text, allow_special=True) == tokenizer.encode(text, allow_special=True)


def test_saving_twice_writes_the_same_bytes_into_one_readable_file(tokenizer, saved):
    before = saved.read_bytes()
    ByteBPE.load(str(saved)).save(saved)
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == ["tokenizer.json"]
    assert stat.S_IMODE(saved.stat().st_mode) == 0o644


def test_a_crash_while_saving_leaves_the_old_file(tokenizer, saved, monkeypatch):
    before = saved.read_bytes()

    def crash(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("llmcourse.tokenizers.files.os.fsync", crash)
    with pytest.raises(KeyboardInterrupt):
        tokenizer.save(saved)
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == ["tokenizer.json"]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"no tokenizer file at .*nowhere\.json"):
        ByteBPE.load(tmp_path / "nowhere.json")


@pytest.mark.parametrize("keep", [0, 1, 40, -1])
def test_a_truncated_file_is_refused(saved, keep):
    saved.write_bytes(saved.read_bytes()[:keep])
    with pytest.raises(ValueError, match=r"tokenizer\.json is no whole JSON file"):
        ByteBPE.load(saved)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"[" * 100_000])
def test_a_file_that_is_no_json_is_refused(saved, content):
    saved.write_bytes(content)
    with pytest.raises(ValueError, match="no whole JSON file"):
        ByteBPE.load(saved)


@pytest.mark.parametrize("content", [[], 7, {}, {"version": "1.0", "model": {"type": "BPE"}}])
def test_a_foreign_file_is_refused(saved, content):
    saved.write_text(json.dumps(content))
    with pytest.raises(ValueError, match="not a tokenizer of this package"):
        ByteBPE.load(saved)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vocab_size": 331}, "vocab_size is 331, but 256 bytes, 72 merges and 2 specials make 330"),
        ({"vocab_size": 200}, "vocab_size is 200"),
        ({"merges": [[97, 98]]}, "1 merges and 2 specials make 259"),
        ({"merges": [[97, 98], [97]]}, "pairs of ids"),
        ({"merges": [["a", "b"]]}, "pairs of ids"),
        ({"merges": [[True, False]]}, "pairs of ids"),
        ({"merges": None}, "pairs of ids"),
        ({"merges": [[97, 300]], "vocab_size": 259}, r"damaged: A merge may only use earlier ids: \(97, 300\)"),
        ({"merges": [[97, 98]] * 2, "vocab_size": 260}, "damaged: A pair may merge only once"),
        ({"specials": "<|end|>"}, "list of strings"),
        ({"specials": [1, 2]}, "list of strings"),
        ({"specials": ["a", "a"]}, "damaged: A special token may occur only once"),
        ({"pattern": 5}, "`pattern` must be a string"),
        ({"pattern": "("}, "damaged: The pattern must be a regular expression"),
    ],
)
def test_fields_that_do_not_fit_are_refused(saved, change, message):
    saved.write_text(json.dumps(json.loads(saved.read_text()) | change))
    with pytest.raises(ValueError, match=message) as caught:
        ByteBPE.load(saved)
    assert str(saved) in str(caught.value)
    assert "\n" not in str(caught.value)
