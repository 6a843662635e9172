"""The fused decoder against the model that it stands in for, for every kind of decoder that one config can describe."""

import pytest
import torch
from torch.testing import assert_close

from llmcourse.inference import FusedDecoder, fuse
from llmcourse.model import Alibi, Bucketed, Learned, Rotary, Sinusoidal, Transformer, TransformerConfig
from tests.model.conftest import SIZES, lively

BOTH = {**SIZES, "n_encoder_layers": 1}
GROUPED = TransformerConfig(**{**SIZES, "n_heads": 6, "d_head": 4}, n_kv_heads=2, position=Rotary(), bias=False)
ENCODER_DECODERS = [
    TransformerConfig(**BOTH, position=Bucketed(8, 20), norm="rms", bias=False, scale_scores=False, scale_logits=True),
    TransformerConfig(**BOTH, position=Learned(32, offset=2), norm_first=False, embed_norm=True, logits_bias=True),
    TransformerConfig(**{**BOTH, "n_heads": 6}, n_kv_heads=2, position=Sinusoidal(), gated=True, activation="relu"),
]


def fused(model: Transformer, *memory: torch.Tensor) -> FusedDecoder:
    decoder = fuse(model, *memory)
    assert decoder is not None
    return decoder


@torch.no_grad()
@pytest.mark.parametrize("kind", ["new_cache", "new_tree"])
@pytest.mark.parametrize("steps", [[11], [5, 1, 1, 4], [1] * 11])
def test_the_fused_decoder_equals_the_model(decoder, ids, steps, kind):
    ours = fused(decoder)
    cache = getattr(ours, kind)()
    pieces = [ours(piece, cache=cache) for piece in ids.split(steps, dim=1)]
    assert len(cache) == 11
    assert_close(torch.cat(pieces, dim=1), decoder(ids), rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_in_twice_the_precision_they_agree_to_twice_as_many_digits(decoder, ids):
    # so that what differs is the rounding alone
    decoder.double()
    ours = fused(decoder)
    assert_close(ours(ids, cache=ours.new_cache()), decoder(ids), rtol=1e-6, atol=1e-13)


@torch.no_grad()
def test_padding_on_the_left_moves_nothing(decoder, ids):
    is_real = torch.ones(2, 11, dtype=torch.bool)
    is_real[1, :4] = False
    ours = fused(decoder)
    cache = ours.new_cache()
    pieces = [
        ours(ids[:, start:end], cache=cache, is_real=is_real[:, :end]) for start, end in ((0, 7), (7, 8), (8, 11))
    ]
    assert_close(torch.cat(pieces, dim=1)[is_real], decoder(ids, is_real=is_real)[is_real], rtol=1e-5, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("kind", ["new_cache", "new_tree"])
def test_heads_that_share_keys_in_groups_read_their_own(ids, kind):
    model = lively(Transformer(GROUPED))
    ours = fused(model)
    cache = getattr(ours, kind)()
    pieces = [ours(piece, cache=cache) for piece in ids.split([6, 1, 4], dim=1)]
    assert_close(torch.cat(pieces, dim=1), model(ids), rtol=1e-5, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("kind", ["new_cache", "new_tree"])
def test_reordered_and_forgetful_it_goes_on_from_what_each_row_has_read(decoder, ids, kind):
    ours = fused(decoder)
    cache = getattr(ours, kind)()
    ours(ids[:, :6], cache=cache)
    cache.truncate(4)
    cache.reorder(torch.tensor([1, 1, 0]))
    ours(torch.stack((ids[0, 4:6], ids[1, 4:6], ids[0, 6:8])), cache=cache)
    cache.reorder(torch.tensor([2, 0, 0]))
    rest = ids[[0, 1, 0], 8:]
    joined = [
        torch.cat((ids[0, :4], ids[0, 6:8], ids[0, 8:])),
        torch.cat((ids[1, :4], ids[0, 4:6], ids[1, 8:])),
        torch.cat((ids[1, :4], ids[0, 4:6], ids[0, 8:])),
    ]
    assert_close(ours(rest, cache=cache), decoder(torch.stack(joined))[:, 6:], rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_only_the_logits_that_are_wanted_are_computed(decoder, ids):
    ours = fused(decoder)
    last = ours(ids, cache=ours.new_cache(), n_last=3)
    assert_close(last, decoder(ids)[:, -3:], rtol=1e-5, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("config", ENCODER_DECODERS)
@pytest.mark.parametrize("n_sources", [1, 2])
@pytest.mark.parametrize("is_padded", [False, True])
@pytest.mark.parametrize("kind", ["new_cache", "new_tree"])
def test_the_encoders_vectors_are_read_like_the_models_own(config, n_sources, is_padded, kind, ids):
    model = lively(Transformer(config))
    if model.logits_bias is not None:
        model.logits_bias.normal_(generator=torch.Generator().manual_seed(0))
    source, is_real = ids[:n_sources, :7], torch.ones(n_sources, 7, dtype=torch.bool)
    if is_padded:
        is_real[0, 5:] = False
    ours = fused(model, model.encode(source, is_real=is_real), is_real)
    cache = getattr(ours, kind)()
    pieces = [ours(piece, cache=cache) for piece in ids.split([4, 1, 6], dim=1)]
    whole = model(source.expand(2, -1), ids, is_real=is_real.expand(2, -1))
    assert_close(torch.cat(pieces, dim=1), whole, rtol=1e-5, atol=1e-5)


def test_logits_may_be_written_to_and_trained_on(decoder, ids):
    ours = fused(decoder)
    logits = ours(ids, cache=ours.new_cache())
    logits[..., 0] = float("-inf")
    weight = torch.ones(37, requires_grad=True)
    (logits[..., 1:] * weight[1:]).sum().backward()
    assert weight.grad is not None


def test_more_tokens_than_the_context_holds_are_refused(ids):
    model = Transformer(TransformerConfig(**SIZES, position=Learned(12))).eval()
    ours = fused(model)
    cache = ours.new_cache()
    ours(ids, cache=cache)
    with pytest.raises(ValueError, match="13 tokens do not fit the context of 12"):
        ours(ids[:, :2], cache=cache)
    assert len(cache) == 11  # and what was read stays read


def test_what_has_no_decoder_has_no_fused_one():
    config = TransformerConfig(**{**SIZES, "n_decoder_layers": 0}, n_encoder_layers=1, position=Alibi())
    with pytest.raises(ValueError, match="no decoder"):
        FusedDecoder(Transformer(config))
