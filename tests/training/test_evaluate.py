import math

import pytest
import torch
from torch import nn

from llmcourse.data import IGNORE, Batch, in_order
from llmcourse.training import Evaluation, evaluate

V = 5


class FixedModel(nn.Module):
    """Predicts the same distribution everywhere; dropout would show."""

    def __init__(self) -> None:
        super().__init__()
        self.scores = nn.Parameter(torch.tensor([0.4, 0.3, 0.15, 0.1, 0.05]).log())
        self.dropout = nn.Dropout(0.5)

    def forward(self, ids):
        return self.dropout(self.scores.expand(*ids.shape, V))


DOCUMENTS = [[0, 1, 2, 0], [0, 3, 0], [0, 4, 4, 4, 4, 0]]
SURPRISE = [-math.log(p) for p in (0.4, 0.3, 0.15, 0.1, 0.05)]


def test_every_unit_follows_from_the_surprise_of_each_document():
    result = evaluate(FixedModel(), in_order(DOCUMENTS, 2), n_bytes=20)
    expected = sorted(sum(SURPRISE[token] for token in ids[1:]) for ids in DOCUMENTS)
    assert sorted(result.document_nats) == pytest.approx(expected, rel=1e-6)
    assert result.n_tokens == 10
    assert result.nats_per_document == pytest.approx(sum(expected) / 3, rel=1e-6)
    assert result.nats_per_token == pytest.approx(sum(expected) / 10, rel=1e-6)
    assert result.perplexity == pytest.approx(math.exp(sum(expected) / 10), rel=1e-6)
    assert result.bits_per_byte == pytest.approx(sum(expected) / math.log(2) / 20, rel=1e-6)
    spread = math.sqrt(sum((nats - sum(expected) / 3) ** 2 for nats in expected) / 2)
    assert result.stderr == pytest.approx(spread / math.sqrt(3), rel=1e-6)


def test_padding_changes_no_result():
    alone = evaluate(FixedModel(), in_order(DOCUMENTS, 1))
    together = evaluate(FixedModel(), in_order(DOCUMENTS, 3))
    assert alone.document_nats == pytest.approx(together.document_nats, rel=1e-6)
    assert alone.n_tokens == together.n_tokens


@pytest.mark.parametrize("training", [True, False])
def test_afterwards_every_part_is_in_the_mode_that_it_was_in(training):
    model = FixedModel().train(training)
    model.dropout.train(not training)
    evaluate(model, in_order(DOCUMENTS, 2))
    assert model.training is training
    assert model.dropout.training is not training


def test_the_mode_comes_back_after_an_error_too():
    model = FixedModel().train()
    with pytest.raises(ValueError, match="outside the vocabulary"):
        evaluate(model, in_order([[0, V]], 1))
    assert model.training


def test_evaluation_leaves_weights_and_gradients_alone():
    model = FixedModel()
    before = model.scores.detach().clone()
    evaluate(model, in_order(DOCUMENTS, 2))
    assert torch.equal(model.scores, before)
    assert model.scores.grad is None


def test_nothing_to_predict_is_refused():
    empty = Batch(torch.zeros(1, 2, dtype=torch.long), torch.full((1, 2), IGNORE))
    with pytest.raises(ValueError, match="nothing to evaluate on"):
        evaluate(FixedModel(), [empty])


def test_bits_per_byte_need_the_bytes_and_one_document_has_no_spread():
    result = Evaluation((1.0,), 1)
    with pytest.raises(ValueError, match="n_bytes"):
        _ = result.bits_per_byte
    assert result.stderr == math.inf
    assert Evaluation((1e6,), 1).perplexity == math.inf
