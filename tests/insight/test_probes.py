"""Probes: the closed form against gradient's own condition, and scores against labels that are there or are not."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from llmcourse.insight import fit_probe, probe

GENERATOR = torch.Generator().manual_seed(5)
CENTRES = torch.randn(3, 6, generator=GENERATOR) * 2


def labelled(n: int, seed: int) -> tuple[torch.Tensor, list[str]]:
    """Vectors around one of three centres, and the centre's name."""
    chance = torch.Generator().manual_seed(seed)
    picks = torch.randint(0, 3, (n,), generator=chance)
    noise = torch.randn(n, 6, generator=chance) * 0.5
    return CENTRES[picks] + noise, [("ann", "bob", "cid")[pick] for pick in picks.tolist()]


def test_without_a_penalty_the_weights_are_least_squares():
    vectors, truth = labelled(80, seed=1)
    found = fit_probe(vectors, truth, ridge=1e-12)
    wanted = np.array([[name == label for label in found.labels] for name in truth], dtype=float)
    table = np.hstack([vectors.double().numpy(), np.ones((80, 1))])
    expected = np.linalg.lstsq(table, wanted, rcond=None)[0]
    assert_close(found.weights, torch.tensor(expected[:-1].T), rtol=1e-6, atol=1e-8)
    assert_close(found.bias, torch.tensor(expected[-1]), rtol=1e-6, atol=1e-8)


def test_with_a_penalty_its_gradient_is_zero_at_the_solution():
    vectors, truth = labelled(80, seed=2)
    found = fit_probe(vectors, truth, ridge=0.3)
    wanted = torch.tensor([[float(name == label) for label in found.labels] for name in truth], dtype=torch.float64)
    weights, bias = found.weights.clone().requires_grad_(), found.bias.clone().requires_grad_()
    x = vectors.double()
    spread = (x - x.mean(dim=0)).square().sum(dim=0).mean()
    loss = (x @ weights.T + bias - wanted).square().sum() + 0.3 * spread * weights.square().sum()
    loss.backward()
    assert weights.grad.abs().max() < 1e-9 * loss.item() + 1e-9
    assert bias.grad.abs().max() < 1e-9 * loss.item() + 1e-9


def test_labels_that_lie_apart_are_told_apart_and_shuffled_ones_are_not():
    vectors, truth = labelled(300, seed=3)
    held, held_truth = labelled(200, seed=4)
    score = probe(vectors, truth, held, held_truth, torch.Generator().manual_seed(0))
    assert score.accuracy > 0.95
    assert score.control < 0.6
    assert 0.2 < score.majority < 0.5
    assert score.selectivity == pytest.approx(score.accuracy - score.control)


def test_what_the_vectors_do_not_hold_no_probe_finds():
    vectors, _ = labelled(300, seed=3)
    coins = [bool(coin) for coin in torch.randint(0, 2, (500,), generator=torch.Generator().manual_seed(8))]
    held, _ = labelled(200, seed=4)
    score = probe(vectors, coins[:300], held, coins[300:], torch.Generator().manual_seed(0))
    assert abs(score.accuracy - 0.5) < 0.12


def test_the_order_of_rows_and_the_units_of_vectors_change_nothing():
    vectors, truth = labelled(60, seed=6)
    held, _ = labelled(40, seed=7)
    plain = fit_probe(vectors, truth).predict(held)
    assert fit_probe(vectors.flip(0), truth[::-1]).predict(held) == plain
    assert fit_probe(vectors * 1000, truth).predict(held * 1000) == plain
    assert fit_probe(vectors + 7, truth).predict(held + 7) == plain


def test_a_held_out_label_that_training_never_saw_counts_as_wrong():
    vectors, truth = labelled(60, seed=6)
    assert fit_probe(vectors, truth).accuracy(vectors[:2], ["dan", "eve"]) == 0


@pytest.mark.parametrize(
    ("truth", "ridge", "message"),
    [
        (["a"] * 5, 0.1, "A probe needs two labels or more to tell apart, not 1"),
        (["a", "b"], 0.1, "A probe needs one label for each vector: 5 vectors, 2 labels"),
        (list("abcab"), 0.0, "ridge must be positive, not 0.0"),
    ],
)
def test_bad_input_is_refused_in_one_line(truth, ridge, message):
    with pytest.raises(ValueError, match=message):
        fit_probe(torch.ones(5, 3), truth, ridge)
