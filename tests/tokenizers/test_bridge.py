"""Two libraries that others wrote must give our ids from our merges."""

import threading

import pytest
import requests
import tiktoken
import tiktoken_ext.openai_public as published
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers

from llmcourse.tokenizers import CL100K_PATTERN, GPT2_PATTERN, O200K_PATTERN, ByteBPE, pretokenize, public_encoding
from tests.tokenizers.hard_texts import HARD_TEXTS, TRAINING_TEXTS

PATTERNS = {"gpt2": GPT2_PATTERN, "cl100k": CL100K_PATTERN, "o200k": O200K_PATTERN}
TRAINED = {name: ByteBPE.train(TRAINING_TEXTS, 420, ["<|end|>"], pattern) for name, pattern in PATTERNS.items()}
ENCODINGS = {name: tokenizer.to_tiktoken() for name, tokenizer in TRAINED.items()}
ANY_TEXT = st.text(alphabet=st.characters(codec="utf-8"))
TRICKY_TEXT = st.text(alphabet="at he\n\r\t .,'sStſK\u212a0½aaé\u0301🙂\u200d日ש\u00a0\x1c\x85", max_size=30)


def hugging_face(tokenizer):
    """The same merges in the library of another house, which writes each byte as a printable character."""
    printable = [byte for byte in range(256) if chr(byte).isprintable() and chr(byte) != " "]
    letters = {byte: chr(byte) for byte in printable}
    others = [byte for byte in range(256) if byte not in letters]
    letters |= {byte: chr(256 + rank) for rank, byte in enumerate(others)}

    def spell(token):
        return "".join(letters[byte] for byte in token)

    vocabulary = {spell(bytes([byte])): byte for byte in range(256)}
    merges = []
    for rank, (left, right) in enumerate(tokenizer.merges):
        vocabulary[spell(left + right)] = 256 + rank
        merges.append((spell(left), spell(right)))
    reference = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    reference.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    return reference


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("text", HARD_TEXTS.values(), ids=HARD_TEXTS.keys())
def test_ids_equal_tiktokens_on_hard_texts(pattern, text):
    ours, theirs = TRAINED[pattern], ENCODINGS[pattern]
    assert ours.encode(text) == theirs.encode(text, disallowed_special=())
    assert ours.encode(text, allow_special=True) == theirs.encode(text, allowed_special="all")
    assert theirs.decode(ours.encode(text)) == text


@pytest.mark.parametrize("pattern", PATTERNS)
@settings(max_examples=100, deadline=None)
@given(text=ANY_TEXT | TRICKY_TEXT)
def test_ids_equal_tiktokens_on_any_text(pattern, text):
    assert TRAINED[pattern].encode(text) == ENCODINGS[pattern].encode(text, disallowed_special=())


@settings(deadline=None)
@given(texts=st.lists(st.text(alphabet="aab c", max_size=30), max_size=5), text=st.text(alphabet="aab c", max_size=30))
def test_ids_equal_tiktokens_for_any_training(texts, text):
    ours = ByteBPE.train(texts, 300)
    assert ours.encode(text) == ours.to_tiktoken().encode(text)


@pytest.mark.parametrize("text", HARD_TEXTS.values(), ids=HARD_TEXTS.keys())
def test_ids_equal_the_tokenizers_librarys(text):
    ours = TRAINED["gpt2"]
    assert ours.encode(text) == hugging_face(ours).encode(text).ids


def test_ids_equal_the_tokenizers_librarys_on_any_text():
    ours = TRAINED["gpt2"]
    reference = hugging_face(ours)

    @settings(max_examples=200, deadline=None)
    @given(text=TRICKY_TEXT)
    def check(text):
        assert ours.encode(text) == reference.encode(text).ids

    check()


@settings(max_examples=100, deadline=None)
@given(ids=st.lists(st.integers(0, TRAINED["gpt2"].vocab_size - 1), max_size=12))
def test_ids_that_are_no_valid_utf8_decode_as_in_tiktoken(ids):
    assert TRAINED["gpt2"].decode(ids) == ENCODINGS["gpt2"].decode(ids)
    assert TRAINED["gpt2"].decode_bytes(ids) == ENCODINGS["gpt2"].decode_bytes(ids)


def test_an_encoding_knows_its_name_its_size_and_its_specials():
    encoding = TRAINED["gpt2"].to_tiktoken("mine")
    assert (encoding.name, encoding.n_vocab) == ("mine", TRAINED["gpt2"].vocab_size)
    assert encoding.encode("<|end|>", allowed_special="all") == [TRAINED["gpt2"].special_id("<|end|>")]


def test_merges_that_no_text_can_reach_are_refused_not_mistranslated():
    late = ByteBPE([(98, 99), (97, 98), (257, 99)])  # b + c always merges before a + b can
    with pytest.raises(ValueError, match=r"No text can reach token 258, b'abc'"):
        late.to_tiktoken()


@pytest.mark.parametrize(("name", "constant"), [("cl100k_base", CL100K_PATTERN), ("o200k_base", O200K_PATTERN)])
def test_patterns_are_those_that_tiktoken_publishes(monkeypatch, name, constant):
    monkeypatch.setattr(published, "load_tiktoken_bpe", lambda *_, **__: {})
    assert published.ENCODING_CONSTRUCTORS[name]()["pat_str"] == constant


@settings(deadline=None)
@given(text=ANY_TEXT | TRICKY_TEXT)
def test_the_pattern_of_gpt2_cuts_as_tiktokens_faster_spelling_does(text):
    assert pretokenize(text, GPT2_PATTERN) == pretokenize(text, published.r50k_pat_str)


def test_an_unknown_public_encoding_is_refused_with_the_list():
    with pytest.raises(ValueError, match=r"cl100k_base, gpt2, .*got 'gpt7'"):
        public_encoding("gpt7")


def test_no_network_gives_one_clear_line(monkeypatch, tmp_path):
    def offline(*_, **__):
        raise requests.exceptions.ConnectionError("a page of\nlow-level trouble")

    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(requests, "get", offline)
    monkeypatch.setattr("tiktoken.registry.ENCODINGS", {})
    with pytest.raises(ConnectionError, match="'gpt2' is neither in tiktoken's cache") as caught:
        public_encoding("gpt2")
    assert "\n" not in str(caught.value)
    assert "TIKTOKEN_CACHE_DIR" in str(caught.value)


def test_a_network_that_only_stalls_ends_at_the_time_limit(monkeypatch):
    released = threading.Event()
    monkeypatch.setattr(tiktoken, "get_encoding", lambda _: released.wait(30))
    with pytest.raises(ConnectionError, match=r"no answer in 0\.05 s"):
        public_encoding("gpt2", timeout_s=0.05)
    released.set()


def test_a_public_encoding_that_is_there_is_handed_over(monkeypatch):
    stored = TRAINED["gpt2"].to_tiktoken("gpt2")
    monkeypatch.setattr("tiktoken.registry.ENCODINGS", {"gpt2": stored})
    assert public_encoding("gpt2") is stored
