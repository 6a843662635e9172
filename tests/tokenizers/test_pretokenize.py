"""The pattern for ASCII text cuts it exactly as the pattern that it is taken from."""

from itertools import product

import regex
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.tokenizers import GPT2_PATTERN, pretokenize
from llmcourse.tokenizers.pretokenize import GPT2_ON_ASCII

REFERENCE = regex.compile(GPT2_PATTERN)
ASCII = [chr(code) for code in range(128)]


def test_every_pair_of_ascii_characters_is_cut_alike():
    pairs = ["".join(pair) for pair in product(ASCII, repeat=2)]
    assert list(map(GPT2_ON_ASCII.findall, pairs)) == list(map(REFERENCE.findall, pairs))


def test_short_texts_of_every_kind_of_character_are_cut_alike():
    # a space, other blanks, what looks blank and is none, letters of contractions, a digit, a mark
    texts = ["".join(letters) for letters in product(" \n\x1c'slX7!", repeat=4)]
    assert list(map(GPT2_ON_ASCII.findall, texts)) == list(map(REFERENCE.findall, texts))


@given(st.text(st.characters(max_codepoint=127)) | st.text(" \n\t'sdmtrevl1!"))
def test_any_ascii_text_is_cut_alike(text):
    assert GPT2_ON_ASCII.findall(text) == REFERENCE.findall(text)


@given(st.text(st.sampled_from(" \n\x85\xa0\u2003'slé٣7!中")))
def test_a_text_that_is_not_all_ascii_is_cut_by_the_pattern_itself(text):
    assert pretokenize(text) == REFERENCE.findall(text)


def test_another_pattern_is_the_callers_own():
    assert pretokenize("it's 12", r".") == list("it's 12")
