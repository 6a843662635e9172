import dataclasses

import pytest
import torch

from llmcourse.model import (
    PRESETS,
    Learned,
    Rotary,
    Sinusoidal,
    Transformer,
    TransformerConfig,
    count_parameters,
    parameters_by_part,
    preset,
)

from .conftest import SIZES

PUBLISHED = {  # parameters of the released checkpoints
    "gpt2": 124_439_808,
    "gpt2-medium": 354_823_168,
    "gpt2-large": 774_030_080,
    "gpt2-xl": 1_557_611_200,
    "gpt3": 174_604_259_328,
    "dialogpt-small": 124_439_808,
    "dialogpt-medium": 354_823_168,
    "dialogpt-large": 774_030_080,
    "bert-base": 109_482_240,
    "bert-large": 335_141_888,
    "bert-base-mlm": 109_514_298,
    "bert-large-mlm": 335_174_458,
    "t5-small": 60_506_624,
    "t5-base": 222_903_552,
    "t5-large": 737_668_096,
    "t5-3b": 2_851_598_336,
    "t5-11b": 11_307_321_344,
    "bart-base": 139_420_416,
    "bart-large": 406_291_456,
    "bloom-560m": 559_214_592,
    "bloom": 176_247_271_424,
    "llama-2-7b": 6_738_415_616,
    "llama-2-13b": 13_015_864_320,
    "llama-2-70b": 68_976_648_192,
    "llama-3-8b": 8_030_261_248,
    "llama-3-70b": 70_553_706_496,
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_presets_have_exactly_the_published_number_of_parameters(name):
    assert count_parameters(preset(name)) == PUBLISHED[name]


def test_every_preset_is_counted_here_or_known_by_a_round_number():
    rounded = {"mt-nlg": 530e9, "lamda": 137e9, "mixtral-8x7b": 46.7e9}
    assert set(PRESETS) - set(PUBLISHED) == set(rounded)
    for name, parameters in rounded.items():
        assert count_parameters(preset(name)) == pytest.approx(parameters, rel=0.006)


def test_lamda_reaches_its_published_size_only_with_three_feedforward_matrices():
    assert count_parameters(dataclasses.replace(preset("lamda"), gated=False)) < 105e9


@pytest.mark.parametrize("name", ["gpt2", "t5-small", "bart-base", "bert-base-mlm"])
def test_the_count_is_that_of_the_whole_model(name):
    with torch.device("meta"):
        whole = Transformer(preset(name))
    assert count_parameters(preset(name)) == sum(weight.numel() for weight in whole.parameters())


def test_the_parts_of_gpt2_follow_from_its_sizes():
    d, layers, v = 768, 12, 50_257
    assert parameters_by_part(preset("gpt2")) == {
        "token vectors": v * d,
        "position vectors": 1024 * d,
        "attention": layers * 4 * (d * d + d),
        "feed-forward": layers * (8 * d * d + 5 * d),
        "norms": (2 * layers + 1) * 2 * d,
    }


def test_an_unknown_preset_is_refused_with_the_known_names():
    with pytest.raises(ValueError, match=r"Unknown preset 'gpt-5'; known are gpt2, gpt2-medium"):
        preset("gpt-5")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"d_model": 10, "d_head": None}, "d_model=10 does not split into n_heads=3"),
        ({"n_kv_heads": 2}, "n_heads=3 is not a multiple of n_kv_heads=2"),
        ({"n_decoder_layers": 0}, "at least one layer"),
        ({"vocab_size": 0}, "vocab_size must be at least 1"),
        ({"position": Rotary(), "d_head": 7}, "must be even, not 7"),
        ({"position": Sinusoidal(), "d_model": 25}, "must be even, not 25"),
        ({"dropout": 1.0}, r"dropout must lie in \[0, 1\)"),
        ({"activation": "swish"}, "activation must be one of relu"),
    ],
)
def test_an_impossible_config_is_refused_with_the_rule_and_the_value(change, message):
    with pytest.raises(ValueError, match=message):
        TransformerConfig(**{**SIZES, **change})


def test_the_context_is_the_length_of_the_position_table():
    assert TransformerConfig(**SIZES, position=Learned(9)).context == 9
    assert TransformerConfig(**SIZES, position=Rotary()).context is None
