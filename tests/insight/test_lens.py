"""The logit lens: the last reading is the model's own, and each other one is the head on that layer's vectors."""

import dataclasses

import pytest
import torch
from torch.testing import assert_close

from llmcourse.insight import capture_outputs, lens_nats, logit_lens, ranks, readable_from, residual_stream
from llmcourse.model import Bucketed, Transformer, TransformerConfig
from llmcourse.training import token_nats
from tests.model.conftest import DECODERS, SIZES, lively

BOTH = TransformerConfig(**SIZES, n_encoder_layers=1, position=Bucketed(8, 20), bias=False)
ENCODER = TransformerConfig(**{**SIZES, "n_decoder_layers": 0}, n_encoder_layers=3, head="mlm", norm_first=False)


@torch.no_grad()
def test_the_last_reading_is_the_models_own_to_the_bit(decoder, ids):
    lens = logit_lens(decoder, ids)
    assert lens.shape == (3, *ids.shape, 37)
    assert torch.equal(lens[-1], decoder(ids))


@torch.no_grad()
def test_an_encoder_and_both_stacks_together_have_a_lens(ids):
    encoder, both = lively(Transformer(ENCODER)), lively(Transformer(BOTH))
    is_real = torch.ones_like(ids, dtype=torch.bool)
    is_real[0, -4:] = False
    assert torch.equal(logit_lens(encoder, ids, is_real=is_real)[-1], encoder(ids, is_real=is_real))
    assert len(logit_lens(encoder, ids)) == 4
    assert torch.equal(logit_lens(both, ids, ids[:, :5], is_real=is_real)[-1], both(ids, ids[:, :5], is_real=is_real))


@torch.no_grad()
def test_a_reading_is_that_of_the_same_model_without_its_last_layers(ids):
    whole = lively(Transformer(DECODERS["rotary"]))
    cut = Transformer(dataclasses.replace(whole.config, n_decoder_layers=1)).eval()
    cut.load_state_dict(whole.state_dict(), strict=False)
    assert_close(logit_lens(whole, ids)[1], cut(ids), rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_each_layer_adds_what_its_two_halves_give(ids):
    model = lively(Transformer(DECODERS["rotary"]))
    halves = [half for block in model.decoder.blocks for half in (block.attention, block.feedforward)]
    with capture_outputs(halves) as given:
        model(ids)
    stream = residual_stream(model, ids)
    assert torch.equal(stream[0], model.tokens(ids))
    for layer in range(2):
        added = given[2 * layer] + given[2 * layer + 1]
        assert_close(stream[layer + 1] - stream[layer], added, rtol=1e-4, atol=1e-5)


def test_a_model_in_training_is_read_without_dropout_and_stays_in_training(ids):
    model = Transformer(dataclasses.replace(DECODERS["rotary"], dropout=0.5)).train()
    assert torch.equal(logit_lens(model, ids), logit_lens(model, ids))
    assert all(module.training for module in model.modules())
    assert not logit_lens(model, ids).requires_grad


@pytest.mark.parametrize("head", ["none", "classify", "embed"])
def test_a_head_that_scores_no_tokens_is_refused(head, ids):
    model = Transformer(dataclasses.replace(DECODERS["rotary"], head=head, n_labels=3 * (head == "classify")))
    with pytest.raises(ValueError, match=rf"The logit lens needs a head that scores tokens, lm or mlm, not '{head}'."):
        logit_lens(model, ids)


def test_nats_are_those_of_the_loss_at_every_depth(decoder, ids):
    lens = logit_lens(decoder, ids)
    expected = torch.stack([token_nats(logits, ids) for logits in lens])
    assert_close(lens_nats(lens, ids), expected, rtol=1e-4, atol=1e-5)


def test_ranks_are_places_in_the_sorted_logits(ids):
    logits = torch.randn(2, 11, 37, generator=torch.Generator().manual_seed(1))
    order = logits.argsort(dim=-1, descending=True)
    found = ranks(logits, ids)
    assert torch.equal(order.gather(-1, found[..., None])[..., 0], ids)


def test_an_answer_is_readable_from_where_it_stays_first():
    found = torch.tensor([[0, 5, 0, 9], [3, 0, 0, 9], [0, 0, 0, 1]])  # depth x places
    assert readable_from(found).tolist() == [2, 1, 0, 3]
