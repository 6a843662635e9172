"""The tokenizer as a whole: what comes back, what the ids mean, what it refuses."""

import random
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse.tokenizers import GPT2_PATTERN, ByteBPE, learn_merges_slowly, pretokenize
from tests.tokenizers.hard_texts import HARD_TEXTS, TRAINING_TEXTS

SPECIALS = ["<|end|>", "<|user|>", "<|assistant|>"]


@pytest.fixture(scope="module")
def tokenizer():
    return ByteBPE.train(TRAINING_TEXTS, 370, SPECIALS)


@pytest.mark.parametrize("text", HARD_TEXTS.values(), ids=HARD_TEXTS.keys())
def test_decoding_undoes_encoding(tokenizer, text):
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert tokenizer.decode(tokenizer.encode(text, allow_special=True)) == text


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_decoding_undoes_encoding_whatever_the_text(tokenizer, text):
    assert tokenizer.decode(tokenizer.encode(text)) == text


@settings(deadline=None)
@given(st.text(alphabet="abt he\n .🙂é'<|end>", max_size=40))
def test_the_cache_changes_nothing(tokenizer, text):
    fresh = ByteBPE(tokenizer.pairs, SPECIALS)
    assert tokenizer.encode(text) == tokenizer.encode(text) == fresh.encode(text)


def test_the_cache_stays_bounded(monkeypatch):
    monkeypatch.setattr("llmcourse.tokenizers.bpe.MAX_CACHED_PIECES", 4)
    tokenizer = ByteBPE([(97, 98)])
    assert tokenizer.encode("ab a b ab c d e ab") == [256, *b" a b ", 256, *b" c d e ", 256]
    assert len(tokenizer._cache) <= 4


def test_ids_are_bytes_then_merges_then_specials(tokenizer):
    assert [tokenizer.token_bytes(value) for value in range(256)] == [bytes([value]) for value in range(256)]
    for rank, (left, right) in enumerate(tokenizer.merges):
        assert tokenizer.token_bytes(256 + rank) == left + right
    assert tokenizer.vocab_size == 370
    assert tokenizer.specials == {"<|end|>": 367, "<|user|>": 368, "<|assistant|>": 369}


def test_training_equals_the_slow_learner_on_text(tokenizer):
    words = {}
    for text in TRAINING_TEXTS:
        for piece in pretokenize(text):
            word = tuple(piece.encode())
            words[word] = words.get(word, 0) + 1
    assert tokenizer.pairs == learn_merges_slowly(words, 370 - 256 - len(SPECIALS))


def test_training_reads_an_iterator_once_and_ignores_the_order_of_texts(tokenizer):
    shuffled = random.Random(1).sample(TRAINING_TEXTS, len(TRAINING_TEXTS))
    assert ByteBPE.train(iter(shuffled), 370, SPECIALS).pairs == tokenizer.pairs


def test_training_gives_the_same_merges_whatever_the_hash_seed():
    program = (
        "from llmcourse.tokenizers import ByteBPE;"
        "print(ByteBPE.train(['the cat sat on the mat, the hat, that cat'], 275).pairs)"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(found) == 1


def test_no_token_crosses_a_piece(tokenizer):
    greedy = ByteBPE.train(["a b " * 50, "x\ny\n" * 50, "1a" * 50], 300)
    assert all(len(pretokenize(left.decode() + right.decode())) == 1 for left, right in greedy.merges)
    for text in HARD_TEXTS.values():
        by_piece = [token for piece in pretokenize(text) for token in tokenizer.encode(piece)]
        assert tokenizer.encode(text) == by_piece


def test_a_pattern_may_hold_groups():
    assert pretokenize("ab1", r"(\p{L})|(\d)") == ["a", "b", "1"]


def test_training_stops_early_when_the_text_runs_out_of_pairs():
    assert ByteBPE.train(["ab"], 1000).vocab_size == 257
    assert ByteBPE.train([], 1000, ["<|end|>"]).vocab_size == 257
    assert ByteBPE.train(["", ""], 256).encode("") == []


def test_characters_that_training_never_saw_still_encode():
    tokenizer = ByteBPE.train(["abc"], 258)
    assert tokenizer.encode("猫") == list("猫".encode())


def test_one_character_spread_over_tokens_decodes_whole(tokenizer):
    ids = list("猫🙂".encode())
    assert tokenizer.decode(ids) == "猫🙂"
    assert tokenizer.decode(ids[:1]) == "\ufffd"
    assert tokenizer.decode_bytes(ids[:1]) == "猫".encode()[:1]


def test_specials_are_text_unless_allowed(tokenizer):
    end = tokenizer.special_id("<|end|>")
    assert end not in tokenizer.encode("so<|end|>it goes")
    allowed = tokenizer.encode("so<|end|>it goes<|end|>", allow_special=True)
    assert allowed == [*tokenizer.encode("so"), end, *tokenizer.encode("it goes"), end]
    assert tokenizer.decode(allowed) == "so<|end|>it goes<|end|>"


def test_the_longest_special_wins():
    tokenizer = ByteBPE([], ["<|a|>", "<|a|><|b|>", ".*"])
    assert tokenizer.encode("<|a|><|b|><|a|>x.*", allow_special=True) == [257, 256, ord("x"), 258]


def test_specials_in_the_texts_teach_no_merges():
    tokenizer = ByteBPE.train(["<|end|>" * 99 + "ab"], 300, ["<|end|>"])
    assert tokenizer.merges == [(b"a", b"b")]


def test_a_lone_surrogate_is_refused_by_name(tokenizer):
    with pytest.raises(ValueError, match=r"lone surrogate '\\ud800'"):
        tokenizer.encode("a\ud800b")


@pytest.mark.parametrize("token", [-1, 370, 10**9])
def test_an_id_outside_the_vocabulary_is_refused(tokenizer, token):
    with pytest.raises(ValueError, match=f"from 0 to 369, got {token}"):
        tokenizer.decode([104, token])


def test_an_unknown_special_is_refused(tokenizer):
    with pytest.raises(ValueError, match=r"<\|assistant\|>.*got '<\|eos\|>'"):
        tokenizer.special_id("<|eos|>")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["a"], 255), "vocab_size=255 is too small: 256 bytes and 0 specials need 256"),
        ((["a"], 257, ["<|a|>", "<|b|>"]), "vocab_size=257 is too small: 256 bytes and 2 specials need 258"),
        (("abc", 300), "one string"),
        ((["abc"], 300, "<|end|>"), "one string"),
        ((["abc"], 300, ["<|a|>", "<|a|>"]), "only once"),
        ((["abc"], 300, [""]), "at least one character"),
        ((["abc def"], 300, [], r"\w+"), "cover every character"),
        ((["abc"], 300, [], r"("), "must be a regular expression"),
    ],
)
def test_training_refuses_what_cannot_work(arguments, message):
    with pytest.raises(ValueError, match=message):
        ByteBPE.train(*arguments)


@pytest.mark.parametrize("pairs", [[(97, 256)], [(-1, 97)], [(97, 98), (97, 98)]])
def test_merges_that_do_not_build_on_earlier_ids_are_refused(pairs):
    with pytest.raises(ValueError, match=r"A (merge|pair) may"):
        ByteBPE(pairs)


def test_the_pattern_of_the_release_is_the_default(tokenizer):
    assert tokenizer.pattern == GPT2_PATTERN
    assert pretokenize("I've 3 cats.\n\n  ok") == ["I", "'ve", " 3", " cats", ".", "\n\n ", " ok"]


def test_repr_tells_the_size(tokenizer):
    assert repr(tokenizer).startswith("ByteBPE(vocab_size=370, merges=111, specials=['<|end|>'")


def test_importing_the_tokenizers_imports_no_torch():
    program = "import sys, llmcourse.tokenizers; sys.exit('torch' in sys.modules or 'jaxtyping' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
