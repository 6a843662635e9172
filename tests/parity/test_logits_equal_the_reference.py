"""Logits of random tiny models equal the transformers library's, weight for weight."""

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, PreTrainedModel

from llmcourse.decoding import generate
from llmcourse.hub.families import family_of, weights_to_ours, weights_to_theirs
from llmcourse.model import Transformer

TOLERANCE = 2e-5  # of the largest logit; float32 noise measured 3e-6, a wrong eps 6e-5

REFERENCES = {
    "gpt2": lambda: GPT2LMHeadModel(GPT2Config(vocab_size=61, n_positions=40, n_embd=24, n_layer=3, n_head=4)),
    "gpt2-odd": lambda: GPT2LMHeadModel(
        GPT2Config(vocab_size=61, n_positions=40, n_embd=21, n_layer=2, n_head=3, n_inner=50, layer_norm_epsilon=1e-3)
    ),
    "llama": lambda: LlamaForCausalLM(_llama(num_attention_heads=4, num_key_value_heads=4)),
    "llama-grouped": lambda: LlamaForCausalLM(
        _llama(num_attention_heads=6, num_key_value_heads=2, head_dim=10, rms_norm_eps=1e-2, tie_word_embeddings=True)
    ),
}


def _llama(**options) -> LlamaConfig:
    return LlamaConfig(
        vocab_size=61, hidden_size=24, intermediate_size=40, num_hidden_layers=3, max_position_embeddings=64, **options
    )


def _strongly_randomised(reference: PreTrainedModel) -> PreTrainedModel:
    """Every tensor far from its starting value: default ones and zeros would hide a mapping mistake."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in reference.parameters():
            spread = 0.5 if weight.dim() == 1 else 1.5 / weight.shape[-1] ** 0.5
            weight.copy_(torch.randn(weight.shape, generator=generator) * spread + (weight.dim() == 1) * 0.7)
    return reference.eval()


@pytest.fixture(params=REFERENCES)
def pair(request):
    reference = _strongly_randomised(REFERENCES[request.param]())
    published = reference.config.to_dict()
    family = family_of(published)
    config = family.config(published)
    model = Transformer(config).eval()
    model.load_state_dict(weights_to_ours(family, config, reference.state_dict()))
    return model, reference


@pytest.fixture
def ids():
    return torch.randint(0, 61, (3, 17), generator=torch.Generator().manual_seed(2))


def _worst(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    return ((ours - theirs).abs().max() / theirs.abs().max()).item()


@torch.no_grad()
def test_logits_equal_the_reference(pair, ids):
    model, reference = pair
    assert _worst(model(ids), reference(ids).logits) < TOLERANCE


@torch.no_grad()
def test_left_padded_logits_equal_the_reference(pair, ids):
    model, reference = pair
    is_real = torch.ones_like(ids, dtype=torch.bool)
    is_real[0, :5] = is_real[2, :1] = False
    positions = (is_real.long().cumsum(-1) - 1).clamp(min=0)
    theirs = reference(ids, attention_mask=is_real.long(), position_ids=positions).logits
    assert _worst(model(ids, is_real=is_real)[is_real], theirs[is_real]) < TOLERANCE


@torch.no_grad()
def test_greedy_continuations_equal_the_reference(pair, ids):
    model, reference = pair
    theirs = reference.generate(ids, max_new_tokens=9, do_sample=False, eos_token_id=None, pad_token_id=0)
    assert generate(model, ids, 9).tolist() == theirs[:, ids.shape[1] :].tolist()


def test_weights_survive_the_way_there_and_back(pair):
    model, reference = pair
    family = family_of(reference.config.to_dict())
    back = weights_to_theirs(family, model.config, model.state_dict())
    theirs = reference.state_dict()
    assert back.keys() == theirs.keys() - ({"lm_head.weight"} if model.config.tie_embeddings else set())
    assert all(torch.equal(back[name], theirs[name]) for name in back)


def test_loss_equals_the_reference(pair, ids):
    model, reference = pair
    logits = model(ids)[:, :-1]
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())
    torch.testing.assert_close(loss, reference(ids, labels=ids).loss, rtol=1e-5, atol=1e-5)


def test_an_unknown_family_is_refused_by_name():
    with pytest.raises(ValueError, match=r"Unknown model_type 'mamba'; known are gpt2, llama"):
        family_of({"model_type": "mamba"})


def test_an_unsupported_field_is_refused_by_name():
    published = LlamaConfig(hidden_act="gelu").to_dict()
    with pytest.raises(ValueError, match="hidden_act='gelu' is not supported"):
        family_of(published).config(published)


def test_a_missing_tensor_is_refused_by_name(pair):
    model, reference = pair
    family = family_of(reference.config.to_dict())
    theirs = reference.state_dict()
    name = next(name for name in theirs if "norm" in name or "ln_1" in name)
    del theirs[name]
    with pytest.raises(ValueError, match=name.replace(".", r"\.")):
        weights_to_ours(family, model.config, theirs)
