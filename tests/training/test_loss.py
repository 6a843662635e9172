import pytest
import torch
from torch import nn

from llmcourse.data import IGNORE, Batch
from llmcourse.training import accumulate_gradients, cross_entropy, next_token_nats, token_nats

B, T, V = 3, 5, 7


@pytest.fixture
def logits():
    return 3 * torch.randn(B, T, V)


@pytest.fixture
def targets():
    targets = torch.randint(0, V, (B, T))
    targets[0, 3:] = IGNORE
    targets[2, 1:] = IGNORE
    return targets


def test_the_loss_is_the_mean_surprise_over_the_targets_that_count(logits, targets):
    surprises = [
        -torch.log(torch.exp(logits[b, t, targets[b, t]]) / torch.exp(logits[b, t]).sum())
        for b in range(B)
        for t in range(T)
        if targets[b, t] != IGNORE
    ]
    assert len(surprises) == 9
    assert cross_entropy(logits, targets).item() == pytest.approx(sum(surprises).item() / 9, rel=1e-5)


def test_logits_under_padding_change_neither_loss_nor_gradient(logits, targets):
    other = torch.where((targets == IGNORE)[..., None], torch.randn(B, T, V), logits)
    gradients = []
    for scores in (logits, other):
        scores.requires_grad_()
        loss = cross_entropy(scores, targets)
        gradients.append(torch.autograd.grad(loss, scores)[0])
    assert torch.equal(cross_entropy(logits, targets), cross_entropy(other, targets))
    torch.testing.assert_close(gradients[0][targets != IGNORE], gradients[1][targets != IGNORE])
    assert gradients[0][targets == IGNORE].eq(0).all()


def test_adding_a_constant_to_all_logits_changes_nothing_and_huge_ones_stay_finite(logits, targets):
    torch.testing.assert_close(cross_entropy(logits + 1e4, targets), cross_entropy(logits, targets), rtol=1e-3, atol=0)
    assert cross_entropy(logits * 1e30, targets).isfinite()


def test_the_surprise_at_each_token_is_0_where_nothing_is_asked(logits, targets):
    nats = token_nats(logits, targets)
    assert nats.shape == (B, T)
    assert nats[targets == IGNORE].eq(0).all()
    assert nats.sum().item() == pytest.approx(9 * cross_entropy(logits, targets).item(), rel=1e-5)


def test_no_targets_at_all_lose_nothing(logits):
    assert cross_entropy(logits, torch.full((B, T), IGNORE)).item() == 0


@pytest.mark.parametrize("wrong", [V, -1])
def test_a_target_outside_the_vocabulary_is_named(logits, targets, wrong):
    targets[1, 1] = wrong
    with pytest.raises(ValueError, match=f"Target {wrong} lies outside the vocabulary of {V}"):
        cross_entropy(logits, targets)


def tiny_model() -> nn.Module:
    return nn.Sequential(nn.Embedding(V, 4), nn.Tanh(), nn.Linear(4, V))


def gradients_of(model) -> torch.Tensor:
    gradient = torch.cat([weight.grad.flatten() for weight in model.parameters()])
    model.zero_grad()
    return gradient


def test_gradients_gathered_from_uneven_parts_equal_those_of_the_whole_batch(targets):
    model = tiny_model().double()
    inputs = torch.randint(0, V, (B, T))
    whole = Batch(inputs, targets)
    parts = [Batch(inputs[row : row + 1], targets[row : row + 1]) for row in range(B)]
    assert len({part.n_targets for part in parts}) == B  # else a mean of means would pass too
    expected = cross_entropy(model(inputs), targets)
    expected.backward()
    expected_gradient = gradients_of(model)
    for split in ([whole], parts):
        loss, n_targets = accumulate_gradients(model, split, next_token_nats)
        assert n_targets == 9
        assert loss == pytest.approx(expected.item(), abs=1e-6)
        torch.testing.assert_close(gradients_of(model), expected_gradient, rtol=1e-6, atol=1e-7)


def test_a_step_without_any_target_is_refused():
    empty = Batch(torch.zeros(1, 2, dtype=torch.long), torch.full((1, 2), IGNORE))
    with pytest.raises(ValueError, match="no target to predict"):
        accumulate_gradients(tiny_model(), [empty], next_token_nats)
