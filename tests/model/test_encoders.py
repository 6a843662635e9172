"""Encoders read both ways; an encoder-decoder's decoder reads the memory and its own past."""

import dataclasses

import pytest
import torch
from torch.testing import assert_close

from llmcourse.insight import capture_attention
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


@torch.no_grad()
@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_of_the_target_moves_nothing(both, ids, side):
    padding = torch.full((2, 3), 7)
    target = ids[:, 2:7]
    padded = torch.cat((padding, target) if side == "left" else (target, padding), dim=1)
    is_real = torch.ones_like(padded, dtype=torch.bool)
    is_real[:, :3] = side == "right"
    is_real[:, -3:] = side == "left"
    logits = both(ids, padded, target_is_real=is_real)
    assert_close(logits[is_real].view(2, 5, -1), both(ids, target), rtol=1e-4, atol=2e-5)


@torch.no_grad()
@pytest.mark.parametrize("steps", [(5, 6), (1,) * 11])
def test_cached_decoding_equals_full_decoding(both, ids, steps):
    source = ids.flip(0)[:, :8]
    is_real = torch.ones_like(source, dtype=torch.bool)
    is_real[1, :3] = False
    memory = both.encode(source, is_real=is_real)
    cache = both.new_cache()
    pieces = [both.decode(piece, cache=cache, memory=memory, memory_is_real=is_real) for piece in ids.split(steps, 1)]
    expected = both(source, ids, is_real=is_real)
    assert_close(both.read_off(torch.cat(pieces, dim=1)), expected, rtol=1e-4, atol=2e-5)


@torch.no_grad()
def test_the_source_is_read_once_and_its_cache_is_reordered_but_never_cut(both, ids):
    cache = both.new_cache()
    memory = both.encode(ids)
    both.decode(ids[:, :6], cache=cache, memory=memory)
    cache.truncate(4)
    cache.reorder(torch.tensor([1, 1]))
    noise = torch.full_like(memory, torch.nan)  # never looked at again
    rest = both.decode(ids[[1, 1], 4:6], cache=cache, memory=noise)
    assert_close(rest, both.decode(ids[[1, 1], :6], memory=memory[[1, 1]])[:, 4:], rtol=1e-4, atol=2e-5)


@torch.no_grad()
@pytest.mark.parametrize(("where", "shape"), [("encoder", (11, 11)), ("decoder", (5, 5)), ("cross", (5, 11))])
def test_hooks_read_every_kind_of_attention(both, ids, where, shape):
    with capture_attention(both, where) as layers:
        both(ids, ids[:, :5])
    n_layers = both.config.n_encoder_layers if where == "encoder" else both.config.n_decoder_layers
    assert [weights.shape for weights in layers] == [(2, 3, *shape)] * n_layers
    for weights in layers:
        assert_close(weights.sum(-1), torch.ones(2, 3, shape[0]))


def test_attention_that_a_model_lacks_is_refused(encoder):
    for where in ("decoder", "cross"):
        with pytest.raises(ValueError, match=f"no attention of the kind '{where}'"), capture_attention(encoder, where):
            pass


def test_inputs_that_do_not_fit_the_stacks_are_refused(encoder, both, ids):
    with pytest.raises(ValueError, match=r"model\(source_ids, target_ids\)"):
        both(ids)
    with pytest.raises(ValueError, match="encoder and a decoder"):
        encoder(ids, ids)
    with pytest.raises(ValueError, match="no decoder"):
        encoder.decode(ids)
