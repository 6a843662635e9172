"""Configs and weights survive both directions, and a mistake in the mapping shows in the logits."""

import dataclasses
import json
from collections.abc import Callable

import pytest
import torch
from safetensors.torch import load_file

from llmcourse.hub.families import FAMILIES, family_for, family_of, weights_to_ours
from llmcourse.hub.folder import load_folder, save_folder
from llmcourse.hub.rules import Rule
from llmcourse.model import Alibi, Bucketed, Experts, Learned, Rotary, Sinusoidal, Transformer, TransformerConfig

from .references import BOTH, REFERENCES, TOLERANCE, worst

every = pytest.mark.parametrize("pair", REFERENCES, indirect=True)


def _save(pair, folder):
    save_folder(pair.model, folder)
    return folder


@every
def test_weights_survive_the_way_there_and_back(pair, tmp_path):
    _save(pair, tmp_path)
    theirs, ours = (load_file(folder / "model.safetensors") for folder in (pair.folder, tmp_path))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


@every
def test_configs_survive_the_way_there_and_back(pair):
    published = json.loads((pair.folder / "config.json").read_text(encoding="utf-8"))
    family = family_of(published)
    again = family.publish(pair.model.config)
    assert family.config(again) == pair.model.config
    assert family_for(pair.model.config) is family
    assert again.keys() <= pair.reference.config.to_dict().keys()  # the library knows each field that we write


@every
@torch.no_grad()
def test_what_we_save_gives_the_same_logits_in_the_library(pair, ids, target_ids, tmp_path):
    theirs = type(pair.reference).from_pretrained(_save(pair, tmp_path)).eval()
    if pair.name in BOTH:
        assert worst(pair.model(ids, target_ids), theirs(ids, decoder_input_ids=target_ids).logits) < TOLERANCE
    else:
        assert worst(pair.model(ids), theirs(ids).logits) < TOLERANCE


def _renamed(old: str, new: str, only: str = "") -> Callable[[Rule], Rule]:
    """Exchanges two parts of our names, where these begin with `only`."""
    swap = {old: new, new: old}

    def change(rule: Rule) -> Rule:
        parts = [".".join(swap.get(part, part) for part in name.split(".")) for name in rule.ours]
        return dataclasses.replace(rule, ours=tuple(parts)) if rule.ours[0].startswith(only) else rule

    return change


def _laid_out(part: str, **changes: bool) -> Callable[[Rule], Rule]:
    """Changes how the weights are laid out whose names of ours hold `part`."""
    return lambda rule: dataclasses.replace(rule, **changes) if part in rule.ours[0] else rule


SAME = _renamed("", "")
MISTAKES = {
    "gpt2: a square weight not transposed": ("gpt2", _laid_out("attention.output", transposed=False), {}),
    "gpt2: the exact GELU": ("gpt2", SAME, {"activation": "gelu"}),
    "gpt2: queries taken for keys": ("gpt2", _renamed("query", "key"), {}),
    "gpt2: another eps": ("gpt2-odd", SAME, {"norm_eps": 1e-5}),
    "gpt2: norms exchanged": ("gpt2", _renamed("attention_norm", "feedforward_norm"), {}),
    "llama: another base of the rotation": ("llama-tied-scaled", SAME, {"position": Rotary(10_000.0, 2.5)}),
    "llama: positions not scaled": ("llama-tied-scaled", SAME, {"position": Rotary(500.0)}),
    "llama: gate taken for up": ("llama", _renamed("gate", "up"), {}),
    "llama: another eps": ("llama-grouped", SAME, {"norm_eps": 1e-5}),
    "llama: keys taken for values": ("llama-grouped", _renamed("key", "value"), {}),
    "mixtral: one expert in place of two": ("mixtral", SAME, {"experts": Experts(5, 1)}),
    "mixtral: gate taken for up": ("mixtral", _renamed("gate", "up"), {}),
    "bert: another eps": ("bert-odd", SAME, {"norm_eps": 1e-5}),
    "bert: the tanh GELU": ("bert", SAME, {"activation": "gelu_tanh"}),
    "bert: norms exchanged": ("bert", _renamed("attention_norm", "feedforward_norm"), {}),
    "t5: logits not scaled": ("t5", SAME, {"scale_logits": False}),
    "t5: logits scaled": ("t5-gated-unscaled", SAME, {"scale_logits": True}),
    "t5: scores scaled": ("t5", SAME, {"scale_scores": True}),
    "t5: another reach of the buckets": ("t5-gated-unscaled", SAME, {"position": Bucketed(8, 128)}),
    "t5: the exact GELU": ("t5-gated-unscaled", SAME, {"activation": "gelu"}),
    "t5: gate taken for up": ("t5-gated-unscaled", _renamed("gate", "up"), {}),
    "t5: self- and cross-attention exchanged": ("t5", _renamed("attention", "cross_attention", "decoder."), {}),
    "t5: another eps": ("t5-uneven", SAME, {"norm_eps": 1e-6}),
    "bart: positions off by one": ("bart", SAME, {"position": Learned(41, offset=1)}),
    "bart: positions not offset": ("bart", SAME, {"position": Learned(42)}),
    "bart: the fixed bias forgotten": ("bart", SAME, {"logits_bias": False}),
    "bart: cross-attention's norm exchanged": ("bart", _renamed("cross_norm", "feedforward_norm", "decoder."), {}),
    "bart: another activation": ("bart-uneven", SAME, {"activation": "gelu"}),
    "bloom: queries, keys and values end to end": ("bloom", _laid_out("query", by_head=False), {}),
    "bloom: an odd number of heads end to end": ("bloom-odd-heads", _laid_out("query", by_head=False), {}),
    "bloom: the exact GELU": ("bloom", SAME, {"activation": "gelu"}),
    "bloom: another eps": ("bloom-odd-heads", SAME, {"norm_eps": 1e-5}),
    "opt: positions not offset": ("opt", SAME, {"position": Learned(42)}),
    "opt: another activation": ("opt-gelu", SAME, {"activation": "relu"}),
    "opt: values taken for keys": ("opt", _renamed("key", "value"), {}),
}


@pytest.mark.parametrize("mistake", MISTAKES)
@torch.no_grad()
def test_a_mistake_in_the_mapping_shows_in_the_logits(mistake, pairs, ids, target_ids):
    name, change, settings = MISTAKES[mistake]
    pair = pairs(name)
    published = json.loads((pair.folder / "config.json").read_text(encoding="utf-8"))
    right = family_of(published)
    wrong = dataclasses.replace(
        right, rules=tuple(map(change, right.rules)), left_out=rf"{right.left_out}|final_logits_bias"
    )
    config = dataclasses.replace(pair.model.config, **settings)
    model = Transformer(config).eval()
    model.load_state_dict(weights_to_ours(wrong, config, load_file(pair.folder / "model.safetensors")))
    if name in BOTH:
        difference = worst(model(ids, target_ids), pair.reference(ids, decoder_input_ids=target_ids).logits)
    else:
        difference = worst(model(ids), pair.reference(ids).logits)
    assert difference > TOLERANCE


@torch.no_grad()
def test_rotating_neighbours_in_place_of_halves_shows_in_the_logits(pairs, ids):
    pair = pairs("llama")
    model = load_folder(pair.folder)
    for name, weight in model.named_parameters():
        if name.endswith(("query.weight", "key.weight")):
            heads = weight.unflatten(0, (4, 2, -1)).transpose(1, 2)  # from halves to neighbours
            weight.copy_(heads.flatten(0, 2))
    assert worst(model(ids), pair.reference(ids).logits) > TOLERANCE


def test_a_model_that_no_family_has_files_for_is_refused_with_reasons():
    sizes = {"vocab_size": 9, "d_model": 8, "d_ff": 12, "n_heads": 2, "n_decoder_layers": 1}
    with pytest.raises(ValueError, match=r"gpt2 cannot express this model's position.* bloom cannot"):
        family_for(TransformerConfig(**sizes, position=Sinusoidal()))
    with pytest.raises(ValueError, match=r"bloom cannot express this model's d_ff"):
        family_for(TransformerConfig(**sizes, position=Alibi(), embed_norm=True, activation="gelu_tanh"))


def test_every_family_is_held_to_the_reference():
    held = {make().config.model_type for make in REFERENCES.values()}
    assert held == set(FAMILIES)
