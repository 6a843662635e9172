"""Encoders read both ways; an encoder-decoder's decoder reads the memory and its own past."""

import dataclasses

import pytest
import torch
from torch.testing import assert_close

from llmcourse.model import Transformer

from .conftest import DECODERS, lively


def _model(name: str, encoder: int, decoder: int) -> Transformer:
    config = dataclasses.replace(DECODERS[name], n_encoder_layers=encoder, n_decoder_layers=decoder)
    return lively(Transformer(config))


@pytest.fixture(params=DECODERS)
def encoder(request):
    return _model(request.param, 2, 0)


@pytest.fixture(params=DECODERS)
def both(request):
    return _model(request.param, 3, 1)


@torch.no_grad()
def test_an_encoder_reads_its_future(encoder, ids):
    changed = ids.clone()
    changed[:, -1] = (changed[:, -1] + 1) % 37
    assert (encoder(ids) - encoder(changed)).abs().amax(dim=-1).min() > 1e-4


@torch.no_grad()
def test_padding_moves_nothing_in_an_encoder(encoder, ids):
    padded = torch.cat((ids, torch.full((2, 3), 7)), dim=1)
    is_real = torch.ones_like(padded, dtype=torch.bool)
    is_real[:, -3:] = False
    assert_close(encoder(padded, is_real=is_real)[:, :11], encoder(ids), rtol=1e-4, atol=2e-5)


@torch.no_grad()
def test_a_decoder_reads_all_of_its_source_and_only_its_own_past(both, ids):
    target = ids[:, :5].flip(0)
    logits = both(ids, target)
    changed = target.clone()
    changed[:, 3] = (changed[:, 3] + 1) % 37
    assert torch.equal(both(ids, changed)[:, :3], logits[:, :3])
    source = ids.clone()
    source[:, -1] = (source[:, -1] + 1) % 37
    assert (both(source, target) - logits).abs().amax(dim=-1).min() > 1e-5


@torch.no_grad()
def test_padding_of_the_source_moves_nothing(both, ids):
    padded = torch.cat((torch.full((2, 3), 7), ids), dim=1)
    is_real = torch.ones_like(padded, dtype=torch.bool)
    is_real[:, :3] = False
    assert_close(both(padded, ids[:, :4], is_real=is_real), both(ids, ids[:, :4]), rtol=1e-4, atol=2e-5)


def test_inputs_that_do_not_fit_the_stacks_are_refused(encoder, both, ids):
    with pytest.raises(ValueError, match=r"model\(source_ids, target_ids\)"):
        both(ids)
    with pytest.raises(ValueError, match="encoder and a decoder"):
        encoder(ids, ids)
    with pytest.raises(ValueError, match="no decoder"):
        encoder.decode(ids)
