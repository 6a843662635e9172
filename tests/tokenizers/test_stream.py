"""Ids of a text that arrives in pieces are those of the whole, and little is held back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse.tokenizers import AddedToken, ByteBPE, StreamEncoder, Tokenizer, Unigram
from llmcourse.tokenizers.normalize import Literally, Lowercase, NormalizerSequence, Prepend, Replace
from llmcourse.tokenizers.splits import ByteLevel, Metaspace, Split, WhitespaceSplit
from tests.tokenizers.families import ANY_TEXT, FAMILIES, PATTERNS, family
from tests.tokenizers.hard_texts import HARD_TEXTS, TRAINING_TEXTS

SPECIALS = ["<|end|>", "<|end|><|user|>", "a b", " x"]
TOKENIZERS = {
    **{name: family(name) for name in FAMILIES},
    **{f"our {name}": ByteBPE.train(TRAINING_TEXTS, 400, SPECIALS, pattern) for name, pattern in PATTERNS.items()},
    "our gpt2": ByteBPE.train(TRAINING_TEXTS, 400, SPECIALS),
    "blanks": Tokenizer(
        Unigram([("<unk>", 0.0), ("▁", -1.0), ("a", -2.0), ("▁a", -2.5)]),
        normalizer=Lowercase(),
        splitter=Metaspace(prepend_scheme="first"),
        added=[AddedToken("<m>", 4, lstrip=True), AddedToken("<r>", 5, rstrip=True), AddedToken("<s> <s>", 6)],
    ),
    "prefix": Tokenizer(family("gpt2").model, splitter=ByteLevel(add_prefix_space=True), added=family("gpt2").added),
}
PIECES = st.lists(
    st.sampled_from([
        "<|end|>", "<|user|>", "<|", "end", "|>", "a b", " x", "<m>", "<r>", "<s>", " ", "  ", "\n", "a", "the",
        "'", "ll", "'re", "!", ".", "日本", "。", "é", "e", "\u0301", "ABC", "d", "12", "3", "/", "\r\n", "\t", "ſ",
    ]),
    max_size=14,
)  # fmt: skip


@pytest.mark.parametrize("name", TOKENIZERS)
@pytest.mark.parametrize("allow_special", [True, False])
@settings(max_examples=60, deadline=None)
@given(pieces=PIECES | st.lists(ANY_TEXT, max_size=4))
def test_ids_of_the_pieces_are_those_of_the_whole(name, allow_special, pieces):
    tokenizer = TOKENIZERS[name]
    stream = StreamEncoder(tokenizer, allow_special)
    ids = [number for piece in pieces for number in stream.feed(piece)]
    assert ids + stream.finish() == tokenizer.encode("".join(pieces), allow_special)
    assert stream.held == ""


@pytest.mark.parametrize("name", TOKENIZERS)
def test_ids_of_the_characters_are_those_of_the_whole(name):
    tokenizer = TOKENIZERS[name]
    stream = StreamEncoder(tokenizer, allow_special=True)
    for text in HARD_TEXTS.values():
        ids = [number for letter in text for number in stream.feed(letter)]
        assert ids + stream.finish() == tokenizer.encode(text, allow_special=True)


@pytest.mark.parametrize("name", TOKENIZERS)
def test_no_more_is_held_than_a_word_and_what_follows_it(name):
    stream = StreamEncoder(TOKENIZERS[name])
    longest = 0
    for letter in "the cat sat on the mat, newest low! " * 40:
        stream.feed(letter)
        longest = max(longest, len(stream.held))
    assert longest <= len(" newest ")


def test_text_without_spaces_is_not_held_where_it_has_punctuation():
    stream = StreamEncoder(TOKENIZERS["our o200k"])
    held = []
    for letter in "日本語。中国、" * 30:
        stream.feed(letter)
        held.append(len(stream.held))
    assert max(held) <= len("。日本語。")


@pytest.mark.parametrize(
    ("tokenizer", "message"),
    [
        (ByteBPE([], pattern=r"(?s:.)"), "three patterns cut; this is another one"),
        (Tokenizer(family("t5").model), "splitter that cuts before every space: None may not"),
        (Tokenizer(family("t5").model, splitter=Metaspace(split=False)), "splitter that cuts"),
        (Tokenizer(family("t5").model, splitter=Split(Literally("a"))), "splitter that cuts"),
        (
            Tokenizer(family("t5").model, normalizer=NormalizerSequence((Prepend("▁"),)), splitter=WhitespaceSplit()),
            "normaliser that works word by word",
        ),
        (
            Tokenizer(family("t5").model, normalizer=Replace(Literally("a b"), "c"), splitter=WhitespaceSplit()),
            "normaliser that works word by word",
        ),
        (
            Tokenizer(
                family("t5").model, splitter=WhitespaceSplit(), added=[AddedToken("a b", 500, normalized=True)]
            ),
            "added tokens without spaces",
        ),
    ],
)  # fmt: skip
def test_a_tokenizer_that_cannot_stream_is_refused(tokenizer, message):
    with pytest.raises(ValueError, match=message):
        StreamEncoder(tokenizer)
