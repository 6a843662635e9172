"""Weights in 8 bits: close to what they were by a known bound, a quarter of the size, at a measured cost."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from llmcourse.inference import n_bytes, quantize
from llmcourse.inference.quantize import Int8Embedding, Int8Linear
from llmcourse.model import Transformer
from tests.model.conftest import DECODERS, lively


def test_each_weight_is_off_by_half_a_step_at_most():
    linear = nn.Linear(50, 30)
    with torch.no_grad():
        linear.weight.mul_(torch.logspace(-3, 3, 30)[:, None])  # rows of very different sizes
    step = linear.weight.abs().amax(dim=1, keepdim=True) / 127
    assert ((Int8Linear(linear).weight - linear.weight).abs() <= step * 0.5001).all()


def test_what_fits_8_bits_is_kept_exactly():
    codes = torch.randint(-127, 128, (6, 40), generator=torch.Generator().manual_seed(0)).float()
    codes[:, 0] = 127
    table = nn.Embedding.from_pretrained(codes * torch.tensor([[2.0**-n] for n in range(6)]))
    ids = torch.tensor([[5, 0], [3, 3]])
    assert torch.equal(Int8Embedding(table).weight, table.weight)
    assert torch.equal(Int8Embedding(table)(ids), table(ids))


def test_a_row_of_zeros_stays_one():
    linear = nn.Linear(4, 3)
    nn.init.zeros_(linear.weight)
    assert torch.equal(Int8Linear(linear)(torch.randn(2, 4)), linear.bias.expand(2, 3))
    assert (Int8Linear(linear).scale > 0).all()  # 0 / 0 is no number to round


def test_a_quantized_model_is_the_model_with_rounded_weights(decoder, ids):
    rounded = Transformer(decoder.config).eval()
    rounded.load_state_dict(decoder.state_dict())
    for module in rounded.modules():
        if isinstance(module, nn.Linear | nn.Embedding):
            scale = module.weight.abs().amax(dim=1, keepdim=True) / 127
            module.weight.data = (module.weight / scale).round() * scale
    assert_close(quantize(decoder)(ids), rounded(ids), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(quantize(decoder)(ids), decoder(ids), rtol=1e-5, atol=1e-6)


def test_the_model_that_was_quantized_stays_as_it_was(decoder, ids):
    before = decoder(ids)
    smaller = quantize(decoder)
    assert torch.equal(decoder(ids), before)
    assert all(not weight.requires_grad for weight in smaller.parameters())
    assert all(weight.requires_grad for weight in decoder.parameters())
    assert smaller.training == decoder.training


def test_no_matrix_is_left_in_32_bits(decoder):
    sizes = {name: tensor.dtype for name, tensor in quantize(decoder).state_dict().items() if tensor.numel() > 80}
    assert set(sizes.values()) == {torch.int8}
    assert n_bytes(quantize(decoder)) < 0.45 * n_bytes(decoder)  # these models are nearly all biases and scales


def test_a_quantized_model_is_loaded_into_a_quantized_model(decoder, ids):
    torch.manual_seed(9)
    other = quantize(Transformer(decoder.config).eval())
    other.load_state_dict(quantize(decoder).state_dict())
    assert torch.equal(other(ids), quantize(decoder)(ids))


def test_cached_decoding_in_8_bits_equals_full_decoding(ids):
    model = quantize(lively(Transformer(DECODERS["learned"])))
    cache = model.new_cache()
    pieces = [model(piece, cache=cache) for piece in ids.split(3, dim=1)]
    assert_close(torch.cat(pieces, dim=1), model(ids), rtol=1e-4, atol=2e-5)


@pytest.mark.slow
def test_8_bits_cost_the_shipped_model_little_beside_its_distance_from_the_floor():
    from llmcourse.hub import bundled, score
    from llmcourse.world import World

    bundle = bundled()
    world = World(0)
    texts = [document.text for document in world.documents(40, "test")]
    whole, small = (score(m, bundle.tokenizer, world, texts) for m in (bundle.model, quantize(bundle.model)))
    assert whole.floor == small.floor
    assert abs(small.gap - whole.gap) < 0.5  # nats a document
    assert small.model.nats_per_document != whole.model.nats_per_document
    assert n_bytes(quantize(bundle.model)) < 0.3 * n_bytes(bundle.model)
