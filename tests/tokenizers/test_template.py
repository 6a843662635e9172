"""What families put around texts, as data."""

import pytest

from llmcourse.tokenizers import TEMPLATES, Template
from llmcourse.tokenizers.template import Slot


@pytest.mark.parametrize(
    ("name", "single", "pair", "segments"),
    [
        ("gpt2", "1 2", "1 2 3", "0 0 1"),
        ("bert", "[CLS] 1 2 [SEP]", "[CLS] 1 2 [SEP] 3 [SEP]", "0 0 0 0 1 1"),
        ("t5", "1 2 </s>", "1 2 </s> 3 </s>", "0 0 0 0 0"),
        ("bart", "<s> 1 2 </s>", "<s> 1 2 </s> </s> 3 </s>", "0 0 0 0 0 0 0"),
        ("llama", "<s> 1 2", "<s> 1 2 <s> 3", "0 0 0 1 1"),
    ],
)
def test_each_family_puts_its_tokens_around_one_text_and_two(name, single, pair, segments):
    ids = {special: -place for place, special in enumerate(TEMPLATES[name].specials, 1)}
    spell = {**{number: special for special, number in ids.items()}, 1: "1", 2: "2", 3: "3"}
    one = TEMPLATES[name].fill(ids.__getitem__, [1, 2])
    two = TEMPLATES[name].fill(ids.__getitem__, [1, 2], [3])
    assert " ".join(spell[number] for number in one.ids) == single
    assert " ".join(spell[number] for number in two.ids) == pair
    assert one.segment_ids == [0] * len(one.ids)
    assert two.segment_ids == [int(segment) for segment in segments.split()]


def test_an_empty_second_text_is_still_a_second_text():
    assert TEMPLATES["bert"].fill({"[CLS]": 1, "[SEP]": 2}.__getitem__, [], []).ids == [1, 2, 2]


def test_a_template_is_written_in_words():
    assert Template.parse("a:b $A:3", "$B $A") == Template((Slot("a:b"), Slot("$A", 3)), (Slot("$B"), Slot("$A")))


@pytest.mark.parametrize(("single", "pair"), [("[CLS]", "$A $B"), ("$A $A", "$A $B"), ("$A", "$A"), ("$A $B", "$A $B")])
def test_a_template_that_loses_a_text_or_takes_it_twice_is_refused(single, pair):
    with pytest.raises(ValueError, match="holds each of"):
        Template.parse(single, pair)
