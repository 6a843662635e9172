"""A mixture of feed-forward networks against a loop over its definition."""

import pytest
import torch
from torch.testing import assert_close

from llmcourse.model import Experts, Transformer, TransformerConfig, count_parameters

from .conftest import SIZES, lively


def _config(n_experts: int = 5, n_chosen: int = 2) -> TransformerConfig:
    return TransformerConfig(**SIZES, gated=True, activation="silu", experts=Experts(n_experts, n_chosen))


@torch.no_grad()
@pytest.mark.parametrize("n_chosen", [1, 2, 5])
def test_each_token_gets_the_weighted_answers_of_its_best_experts(n_chosen):
    mixture = lively(Transformer(_config(n_chosen=n_chosen))).decoder.blocks[0].feedforward
    vectors = torch.randn(3, 7, 24)
    answers = mixture(vectors)
    for row, vector in zip(answers.flatten(0, 1), vectors.flatten(0, 1), strict=True):
        probs = mixture.router(vector).softmax(-1)
        best = probs.argsort(descending=True)[:n_chosen].tolist()
        expected = sum(probs[i] * mixture.experts[i](vector) for i in best) / probs[best].sum()
        assert_close(row, expected, rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_cached_decoding_equals_full_decoding(ids):
    model = lively(Transformer(_config()))
    cache = model.new_cache()
    pieces = [model(piece, cache=cache) for piece in ids.split((4, 1, 6), dim=1)]
    assert_close(torch.cat(pieces, dim=1), model(ids), rtol=1e-4, atol=2e-5)


def test_all_experts_and_the_router_are_counted_and_start_alike():
    model = Transformer(_config())
    assert count_parameters(model.config) == sum(weight.numel() for weight in model.parameters())
    spread = [expert.down.weight.std().item() for expert in model.decoder.blocks[0].feedforward.experts]
    # four branches add to the stream, whatever the number of experts
    assert spread == pytest.approx([0.02 / 2] * 5, rel=0.1)


def test_the_router_learns():
    model = lively(Transformer(_config()))
    model(torch.randint(0, 37, (4, 9))).logsumexp(-1).sum().backward()
    assert all(block.feedforward.router.weight.grad.abs().sum() > 0 for block in model.decoder.blocks)


@pytest.mark.parametrize("n_chosen", [0, 6])
def test_more_or_fewer_experts_than_there_are_cannot_be_asked(n_chosen):
    with pytest.raises(ValueError, match="n_chosen must lie between 1 and n_experts"):
        _config(n_chosen=n_chosen)
