import copy

import pytest
import torch
from torch import nn

from llmcourse.training import TrainConfig, clip_gradients, hidden_matrices, make_optimizer, orthogonalise


def with_gradients(scale: float) -> list[nn.Parameter]:
    weights = [nn.Parameter(torch.randn(3, 4)), nn.Parameter(torch.randn(5)), nn.Parameter(torch.randn(2))]
    weights[0].grad, weights[1].grad = scale * torch.randn(3, 4), 3 * scale * torch.randn(5)
    return weights  # the last one has no gradient


@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("max_norm", [0.5, 1.0])
def test_clipping_equals_the_library_s(scale, max_norm):
    ours = with_gradients(scale)
    theirs = copy.deepcopy(ours)
    for mine, other in zip(ours, theirs, strict=True):
        other.grad = None if mine.grad is None else mine.grad.clone()
    assert clip_gradients(ours, max_norm) == pytest.approx(nn.utils.clip_grad_norm_(theirs, max_norm).item())
    for mine, other in zip(ours, theirs, strict=True):
        assert (mine.grad is None) == (other.grad is None)
        if mine.grad is not None:
            torch.testing.assert_close(mine.grad, other.grad)


def test_clipping_keeps_the_direction_and_leaves_short_gradients_alone():
    weights = with_gradients(10.0)
    before = torch.cat([weight.grad.flatten() for weight in weights[:2]])
    norm = clip_gradients(weights, 1.0)
    after = torch.cat([weight.grad.flatten() for weight in weights[:2]])
    assert norm == pytest.approx(before.norm().item())
    assert after.norm().item() == pytest.approx(1.0, rel=1e-5)
    assert torch.cosine_similarity(before, after, dim=0).item() == pytest.approx(1.0, rel=1e-6)
    clip_gradients(weights, 2.0)
    assert torch.equal(after, torch.cat([weight.grad.flatten() for weight in weights[:2]]))


def test_clipping_may_be_off_and_gradients_may_be_missing():
    weights = with_gradients(10.0)
    before = weights[0].grad.clone()
    assert clip_gradients(weights, None) > 10
    assert torch.equal(weights[0].grad, before)
    assert clip_gradients([nn.Parameter(torch.ones(2))], 1.0) == 0.0


class Net(nn.Module):
    """Parameters of every kind that the rules tell apart."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens = nn.Embedding(6, 4)
        self.up = nn.Linear(4, 10)
        self.norm = nn.LayerNorm(10)
        self.down = nn.Linear(10, 4)
        self.unembed = nn.Linear(4, 6, bias=False)

    def forward(self, ids):
        return self.unembed(self.down(self.norm(self.up(self.tokens(ids)).tanh())))


def test_only_matrices_between_hidden_vectors_are_muon_s():
    net = Net()
    assert set(hidden_matrices(net)) == {"up.weight", "down.weight"}
    net.up.weight.requires_grad_(False)
    assert set(hidden_matrices(net)) == {"down.weight"}
    net.up.weight.requires_grad_(True)
    net.down.weight = nn.Parameter(net.tokens.weight.data.T)
    net.tokens.weight = net.down.weight  # tied: it is an embedding first
    assert set(hidden_matrices(net)) == {"up.weight"}


@pytest.mark.parametrize("kind", ["adamw", "muon"])
def test_every_parameter_is_trained_once_and_only_matrices_decay(kind):
    net = Net()
    groups = make_optimizer(net, TrainConfig(steps=1, optimizer=kind, weight_decay=0.3)).param_groups
    trained = [weight for group in groups for weight in group["params"]]
    assert len(trained) == len({id(weight) for weight in trained}) == len(list(net.parameters()))
    for group in groups:
        for weight in group["params"]:
            assert group["weight_decay"] == (0.3 if weight.dim() > 1 else 0.0)


def test_orthogonalising_brings_every_singular_value_near_1_and_keeps_the_directions():
    for shape in ((6, 9), (9, 6), (8, 8)):
        matrix = torch.randn(shape)
        left, values, right = torch.linalg.svd(orthogonalise(matrix), full_matrices=False)
        assert values.min() > 0.5
        assert values.max() < 1.3
        original_left, _, original_right = torch.linalg.svd(matrix, full_matrices=False)
        polar = original_left @ original_right
        assert torch.cosine_similarity(polar.flatten(), (left @ right).flatten(), dim=0) > 0.999


def test_orthogonalising_a_stack_is_orthogonalising_each_and_steps_lift_the_smallest():
    stack = torch.randn(3, 6, 9)
    torch.testing.assert_close(orthogonalise(stack), torch.stack([orthogonalise(each) for each in stack]))
    torch.testing.assert_close(orthogonalise(stack.mT), orthogonalise(stack).mT)
    smallest = [torch.linalg.svdvals(orthogonalise(stack, steps)).min() for steps in (0, 1, 3)]
    assert smallest[0] < smallest[1] < smallest[2]


def random_steps(optimizers: list[torch.optim.Optimizer], weights: list[list[nn.Parameter]], n_steps: int) -> None:
    for _ in range(n_steps):
        gradients = [torch.randn_like(weight) for weight in weights[0]]
        for copies in weights:
            for weight, gradient in zip(copies, gradients, strict=True):
                weight.grad = gradient.clone()
        for optimizer in optimizers:
            optimizer.step()


def test_what_muon_leaves_to_adam_moves_as_the_library_s_adamw_does():
    net = Net()
    config = TrainConfig(steps=1, optimizer="muon", lr=0.02, weight_decay=0.1)
    ours = make_optimizer(net, config)
    rest = [w for group in ours.param_groups if not group["muon"] for w in group["params"]]
    theirs = copy.deepcopy(rest)
    adamw = torch.optim.AdamW(
        [
            {"params": [w for w in theirs if w.dim() > 1], "weight_decay": 0.1},
            {"params": [w for w in theirs if w.dim() <= 1], "weight_decay": 0.0},
        ],
        lr=0.02,
        betas=(0.9, 0.95),
    )
    random_steps([ours, adamw], [rest, theirs], 5)
    for mine, other in zip(rest, theirs, strict=True):
        torch.testing.assert_close(mine, other)


@pytest.mark.parametrize("ns_steps", [5, 3])
def test_muon_moves_matrices_as_the_library_s_muon_does(ns_steps):
    net = Net()
    ours = make_optimizer(net, TrainConfig(steps=1, optimizer="muon", ns_steps=ns_steps, lr=0.02, weight_decay=0.1))
    matrices = list(hidden_matrices(net).values())
    starts = [weight.detach().clone() for weight in matrices]
    theirs = copy.deepcopy(matrices)
    muon = torch.optim.Muon(theirs, lr=0.02, weight_decay=0.1, ns_steps=ns_steps, adjust_lr_fn="match_rms_adamw")
    random_steps([ours, muon], [matrices, theirs], 4)
    for mine, other, start in zip(matrices, theirs, starts, strict=True):
        moved, expected = (mine - start).detach(), (other - start).detach()
        # the library iterates in bfloat16, which has two to three digits
        assert (moved - expected).norm() < 0.03 * expected.norm()


def test_a_model_without_trainable_parameters_is_refused():
    net = Net().requires_grad_(False)
    with pytest.raises(ValueError, match="no parameter that trains"):
        make_optimizer(net, TrainConfig(steps=1))
