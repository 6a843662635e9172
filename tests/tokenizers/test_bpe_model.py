"""Merges over strings, in whatever order a file lists them, equal the library's; so does what is unknown."""

import itertools

import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse.tokenizers import BPE, ByteBPE, from_byte_bpe

STRINGS = ["".join(letters) for size in range(1, 4) for letters in itertools.product("ab", repeat=size)]
VOCABULARY = {token: number for number, token in enumerate(["?", *STRINGS])}
PAIRS = [(token[:cut], token[cut:]) for token in STRINGS for cut in range(1, len(token))]


@settings(max_examples=200, deadline=None)
@given(
    merges=st.lists(st.sampled_from(PAIRS), unique=True, min_size=4, max_size=15),
    piece=st.text("ab", min_size=1, max_size=16),
)
def test_merges_in_any_order_apply_as_in_the_library(merges, piece):
    """A later merge may make what an earlier one needs, so one occurrence at a time is not all of them at once."""
    theirs = tokenizers.models.BPE(VOCABULARY, merges)
    assert BPE(VOCABULARY, merges).encode(piece) == [token.id for token in theirs.tokenize(piece)]


@pytest.mark.parametrize("fuses", [True, False])
@pytest.mark.parametrize("piece", ["axxbx", "xx", "abxab"])
def test_what_is_unknown_is_one_token_a_run_or_one_a_character(fuses, piece):
    theirs = tokenizers.models.BPE(VOCABULARY, [("a", "b")], unk_token="?", fuse_unk=fuses)
    ids = BPE(VOCABULARY, [("a", "b")], unknown="?", fuse_unknown=fuses).encode(piece)
    assert ids == [token.id for token in theirs.tokenize(piece)]


def test_a_piece_that_is_a_token_is_taken_whole_where_the_file_says_so():
    assert BPE(VOCABULARY, [], whole_first=True).encode("aba") == [VOCABULARY["aba"]]
    assert BPE(VOCABULARY, []).encode("aba") == [VOCABULARY[letter] for letter in "aba"]


def test_a_character_without_token_is_refused_where_nothing_stands_for_it():
    with pytest.raises(ValueError, match="no token for 'x', and none for what is unknown"):
        BPE(VOCABULARY, []).encode("ax")


def test_specials_beyond_ascii_come_back_as_they_were():
    ours = from_byte_bpe(ByteBPE([(97, 98)], ["<|usér|>"]))
    assert ours.decode(ours.encode("ab<|usér|>é", allow_special=True)) == "ab<|usér|>é"
