"""The fused objective against the clear one: the same numbers, the same gradients."""

import pytest
import torch
from torch.testing import assert_close

from llmcourse.data import IGNORE, Batch
from llmcourse.model import Experts, Transformer, TransformerConfig
from llmcourse.training import fused, fused_next_token_nats, next_token_nats, train
from llmcourse.training.fused import LogitSums
from tests.model.conftest import DECODERS, SIZES, lively
from tests.training import teamwork


@pytest.fixture
def batch() -> Batch:
    generator = torch.Generator().manual_seed(5)
    inputs, targets = torch.randint(0, 37, (2, 3, 9), generator=generator)
    targets[0, :4] = IGNORE
    return Batch(inputs, targets)


def nats_and_gradients(objective, model: Transformer, batch: Batch) -> list[torch.Tensor]:
    model.zero_grad()
    nats = objective(model, batch)
    weights = torch.linspace(0.5, 2.0, nats.numel(), dtype=nats.dtype).view_as(nats)
    (nats * weights).sum().backward()
    return [nats.detach(), *(weight.grad for weight in model.parameters() if weight.grad is not None)]


@pytest.mark.parametrize("name", DECODERS)
@pytest.mark.parametrize("chunk", [5, 1024])
def test_nats_and_gradients_are_the_clear_paths(name, chunk, batch, monkeypatch):
    monkeypatch.setattr(fused, "CHUNK", chunk)
    model = lively(Transformer(DECODERS[name])).double().train()
    monkeypatch.setattr(fused, "next_token_nats", None)  # nothing is left to the clear path
    ours = nats_and_gradients(fused_next_token_nats, model, batch)
    # the clear path rounds its logits to single precision
    clear = nats_and_gradients(next_token_nats, model, batch)
    assert_close(ours, [each.double() for each in clear], rtol=1e-5, atol=1e-5)


GATED = TransformerConfig(**SIZES, activation="gelu_tanh", gated=True)


@pytest.mark.parametrize("config", [DECODERS["learned"], DECODERS["rotary"], GATED], ids=["gpt", "llama", "gated"])
def test_single_precision_goes_another_way_to_the_same_numbers(config, batch):
    model = lively(Transformer(config)).train()
    ours, clear = (nats_and_gradients(each, model, batch) for each in (fused_next_token_nats, next_token_nats))
    longest = max(float(each.abs().max()) for each in clear)  # a bias of keys has no gradient but rounding's
    assert_close(ours, clear, rtol=1e-5, atol=1e-6 * longest)


@pytest.mark.parametrize("kept", [35, 34], ids=["probabilities kept", "made again"])
def test_the_gradients_of_the_sums_are_their_slopes(kept, monkeypatch):
    monkeypatch.setattr(fused, "CHUNK", 3)
    monkeypatch.setattr(fused, "KEPT", kept)
    generator = torch.Generator().manual_seed(0)
    vectors, table = (
        torch.randn(rows, 4, dtype=torch.double, generator=generator, requires_grad=True) for rows in (7, 5)
    )
    targets = torch.tensor([0, 4, 0, 2, 1, 1, 3])
    totals, of_target = LogitSums.apply(vectors, table, targets)
    logits = vectors @ table.T
    assert_close(totals, logits.logsumexp(dim=-1))
    assert_close(of_target, logits.gather(-1, targets[:, None])[:, 0])
    assert torch.autograd.gradcheck(LogitSums.apply, (vectors, table, targets))


def test_dropout_draws_what_the_clear_path_draws(batch):
    config = TransformerConfig(**SIZES, dropout=0.3)
    model = lively(Transformer(config)).train()
    results = []
    for objective in (fused_next_token_nats, next_token_nats):
        torch.manual_seed(2)
        results.append(objective(model, batch))
    assert_close(*results, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(results[0], fused_next_token_nats(model.eval(), batch))


@pytest.mark.parametrize(
    "model",
    [
        Transformer(TransformerConfig(**SIZES, experts=Experts(3))),
        Transformer(TransformerConfig(**SIZES), attend=lambda query, key, value, bias: value),
        Transformer(TransformerConfig(**SIZES, logits_bias=True)),
        torch.nn.Sequential(torch.nn.Embedding(37, 8), torch.nn.Linear(8, 37)),
    ],
)
def test_other_models_are_trained_as_they_are(model, batch):
    assert torch.equal(fused_next_token_nats(model, batch), next_token_nats(model, batch))


def test_autocast_rounds_what_the_clear_path_rounds(batch):
    model = lively(Transformer(DECODERS["learned"])).train()
    exact = fused_next_token_nats(model, batch)
    with torch.autocast("cpu", torch.bfloat16):
        ours, clear = (nats_and_gradients(each, model, batch) for each in (fused_next_token_nats, next_token_nats))
    assert_close(ours, clear, rtol=0, atol=0)
    assert not torch.equal(ours[0], exact)


def test_a_run_has_the_curve_of_the_clear_path():
    curves = [
        [
            record.loss
            for record in train(
                teamwork.model(), teamwork.batches(), teamwork.recipe(), objective=objective, progress=False
            )
        ]
        for objective in (fused_next_token_nats, next_token_nats)
    ]
    assert curves[0] == pytest.approx(curves[1], abs=1e-5)
    assert curves[0][-1] < curves[0][0]


def test_a_target_outside_the_vocabulary_is_refused():
    ids = torch.tensor([[1, 37]])
    with pytest.raises(ValueError, match="Target 37 lies outside the vocabulary of 37"):
        fused_next_token_nats(Transformer(DECODERS["learned"]), Batch(ids[:, :1], ids[:, 1:]))
