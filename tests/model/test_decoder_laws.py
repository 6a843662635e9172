"""What must hold for every decoder, whatever its position scheme, norm or gates."""

import pytest
import torch
from torch.testing import assert_close

from llmcourse.insight import capture_attention
from llmcourse.model import Learned, Transformer, TransformerConfig, attend, fused_attend

from .conftest import SIZES


@torch.no_grad()
def test_no_token_reads_its_future(decoder, ids):
    changed = ids.clone()
    changed[:, 6] = (changed[:, 6] + 1) % 37
    before, after = decoder(ids), decoder(changed)
    assert torch.equal(before[:, :6], after[:, :6])
    assert (before[:, 6:] - after[:, 6:]).abs().amax(dim=-1).min() > 1e-4  # and everything later does read it


@torch.no_grad()
@pytest.mark.parametrize("steps", [(11,), (4, 7), (1,) * 11, (3, 1, 5, 2)])
def test_cached_decoding_equals_full_decoding(decoder, ids, steps):
    cache = decoder.new_cache()
    pieces = [decoder(piece, cache=cache) for piece in ids.split(steps, dim=1)]
    assert len(cache) == 11
    assert_close(torch.cat(pieces, dim=1), decoder(ids), rtol=1e-4, atol=2e-5)


@torch.no_grad()
@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_moves_nothing(decoder, ids, side):
    padding = torch.full((2, 4), 7)
    padded = torch.cat((padding, ids) if side == "left" else (ids, padding), dim=1)
    is_real = torch.ones_like(padded, dtype=torch.bool)
    is_real[:, :4] = side == "right"
    is_real[:, -4:] = side == "left"
    assert_close(decoder(padded, is_real=is_real)[is_real].view(2, 11, -1), decoder(ids), rtol=1e-4, atol=2e-5)


@torch.no_grad()
def test_left_padded_cached_decoding_equals_the_unpadded(decoder, ids):
    padded = torch.cat((torch.full((2, 3), 7), ids), dim=1)
    is_real = torch.ones_like(padded, dtype=torch.bool)
    is_real[:, :3] = False
    cache = decoder.new_cache()
    decoder(padded[:, :8], is_real=is_real[:, :8], cache=cache)
    rest = decoder(padded[:, 8:], is_real=is_real, cache=cache)
    assert_close(rest, decoder(ids)[:, 5:], rtol=1e-4, atol=2e-5)


@torch.no_grad()
def test_a_permuted_batch_permutes_the_output(decoder, ids):
    assert_close(decoder(ids.flip(0)), decoder(ids).flip(0), rtol=1e-4, atol=2e-5)


@torch.no_grad()
def test_the_order_of_tokens_matters(decoder, ids):
    swapped = ids.clone()
    swapped[:, [2, 5]] = ids[:, [5, 2]]
    assert (decoder(swapped)[:, -1] - decoder(ids)[:, -1]).abs().max() > 1e-3


@torch.no_grad()
def test_fused_attention_equals_the_explicit_one(decoder, ids):
    fused = Transformer(decoder.config, attend=fused_attend).eval()
    fused.load_state_dict(decoder.state_dict())
    assert_close(fused(ids), decoder(ids), rtol=1e-4, atol=2e-5)


@torch.no_grad()
def test_a_plain_function_drops_in_as_attention(decoder, ids):
    plain = Transformer(decoder.config, attend=attend).eval()
    plain.load_state_dict(decoder.state_dict())
    assert torch.equal(plain(ids), decoder(ids))
    with pytest.raises(ValueError, match="keeps no weights"), capture_attention(plain):
        pass


@torch.no_grad()
def test_captured_weights_are_a_causal_distribution(decoder, ids):
    with capture_attention(decoder) as layers:
        decoder(ids)
    assert [weights.shape for weights in layers] == [(2, 3, 11, 11)] * 2
    for weights in layers:
        assert_close(weights.sum(-1), torch.ones(2, 3, 11))
        assert weights[..., torch.ones(11, 11).triu(1).bool()].eq(0).all()
    decoder(ids)
    assert len(layers) == 2  # the hooks are gone


@torch.no_grad()
def test_a_reordered_cache_goes_on_from_the_chosen_rows(decoder, ids):
    cache = decoder.new_cache()
    decoder(ids[:, :6], cache=cache)
    cache.reorder(torch.tensor([1, 1]))
    joined = torch.cat((ids[[1, 1], :6], ids[:, 6:]), dim=1)
    assert_close(decoder(ids[:, 6:], cache=cache), decoder(joined)[:, 6:], rtol=1e-4, atol=2e-5)


@torch.no_grad()
def test_a_truncated_cache_forgets(decoder, ids):
    cache = decoder.new_cache()
    decoder(ids, cache=cache)
    cache.truncate(5)
    assert len(cache) == 5
    assert_close(decoder(ids[:, 5:], cache=cache), decoder(ids)[:, 5:], rtol=1e-4, atol=2e-5)


def test_every_weight_gets_a_gradient(decoder, ids):
    decoder(ids).logsumexp(-1).sum().backward()
    silent = [name for name, weight in decoder.named_parameters() if weight.grad is None]
    assert not silent


def test_the_same_generator_seed_gives_the_same_model(decoder):
    one, two = (Transformer(decoder.config, generator=torch.Generator().manual_seed(9)) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))


def test_a_sequence_longer_than_the_context_is_refused():
    model = Transformer(TransformerConfig(**SIZES, position=Learned(8)))
    with pytest.raises(ValueError, match="9 tokens do not fit the context of 8"):
        model(torch.zeros(1, 9, dtype=torch.long))


def test_a_padding_mask_of_the_wrong_length_is_refused(decoder, ids):
    with pytest.raises(ValueError, match="is_real covers 10 tokens, but there are 11"):
        decoder(ids, is_real=torch.ones(2, 10, dtype=torch.bool))
