"""Decoding with the fused decoder writes what it writes with the model itself."""

import pytest
import torch

from llmcourse.decoding import beam_search, compose, generate, speculate, temperature, top_p
from llmcourse.decoding.reading import Reader
from llmcourse.inference import FusedDecoder
from llmcourse.model import Bucketed, Transformer, TransformerConfig
from tests.model.conftest import DECODERS, SIZES, lively

PROMPTS = torch.tensor([[9, 7, 3, 1], [2, 2, 5, 8], [6, 1, 36, 0]])
IS_REAL = torch.tensor([[True] * 4, [False] * 2 + [True] * 2, [False] + [True] * 3])


@pytest.fixture(params=DECODERS)
def decoder(request) -> Transformer:
    return lively(Transformer(DECODERS[request.param]))


@pytest.fixture
def both(monkeypatch):
    """Does the work twice: by the fused decoder, and by the model itself."""

    def twice(work):
        fast = work()
        with monkeypatch.context() as patch:
            patch.setattr("llmcourse.decoding.reading.fuse", lambda *_: None)
            return fast, work()

    return twice


def test_an_ordinary_transformer_is_read_by_its_fused_decoder(decoder):
    assert isinstance(Reader(decoder).model, FusedDecoder)
    assert Reader(decoder, use_cache=False).model is decoder


@pytest.mark.parametrize("is_real", [None, IS_REAL])
def test_greedy_and_sampled_ids_are_the_models(decoder, both, is_real):
    for transform in (None, compose(temperature(0.7), top_p(0.9))):
        fast, clear = both(
            lambda transform=transform: generate(
                decoder,
                PROMPTS,
                20,
                transform=transform,
                generator=torch.Generator().manual_seed(1),
                eos=(4,),
                is_real=is_real,
            )
        )
        assert torch.equal(fast, clear)


def test_beams_are_the_models(decoder, both):
    fast, clear = both(lambda: beam_search(decoder, PROMPTS[0], 20, 4, eos=(4,), length_penalty=0.5))
    assert [h.ids for h in fast] == [h.ids for h in clear]
    assert [h.log_prob for h in fast] == pytest.approx([h.log_prob for h in clear], abs=1e-4)


def test_speculation_is_the_models(decoder, both):
    draft = lively(Transformer(DECODERS["rotary"]))
    fast, clear = both(lambda: list(speculate(decoder, draft, PROMPTS[0], 20)))
    assert fast == clear


@pytest.mark.parametrize("is_real", [None, torch.tensor([[True] * 4, [True] * 3 + [False], [True] * 4])])
def test_an_encoder_decoder_writes_the_same_from_its_source(both, is_real):
    config = TransformerConfig(**SIZES, n_encoder_layers=1, position=Bucketed(8, 20), norm="rms", scale_scores=False)
    model = lively(Transformer(config))
    starts = torch.zeros(3, 1, dtype=torch.long)
    fast, clear = both(lambda: generate(model, starts, 12, source=PROMPTS, source_is_real=is_real))
    assert torch.equal(fast, clear)
    one = None if is_real is None else is_real[1:2]
    fast, clear = both(lambda: beam_search(model, starts[0], 12, 3, source=PROMPTS[1:2], source_is_real=one))
    assert [h.ids for h in fast] == [h.ids for h in clear]


def test_a_hook_sees_every_token_that_is_written():
    model = lively(Transformer(DECODERS["learned"]))
    seen = []
    model.decoder.blocks[0].register_forward_hook(lambda *_: seen.append(1))
    generate(model, PROMPTS, 5)
    assert len(seen) == 5


def test_weights_that_change_between_two_calls_are_read_anew():
    model = lively(Transformer(DECODERS["learned"]))
    before = generate(model, PROMPTS, 5)
    with torch.no_grad():
        model.decoder.blocks[0].attention.query.weight.mul_(-3)
        model.decoder.blocks[0].feedforward.up.weight.mul_(-1)
    after = generate(model, PROMPTS, 5)
    assert not torch.equal(before, after)
    assert torch.equal(after, generate(model, PROMPTS, 5, use_cache=False))
