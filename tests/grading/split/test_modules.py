"""Modules, optimizers and gradients on both sides of the wire."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from llmcourse.checks.tiny import TinyModel
from tests.grading.split.both import both


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.drop = nn.Linear(3, 4), nn.Dropout(0.5)
        self.register_buffer("offset", torch.ones(4))
        self.width = 4

    def forward(self, x: Tensor) -> Tensor:
        return self.drop(self.first(x)) + self.offset


def test_a_module_from_afar_is_a_module() -> None:
    torch.manual_seed(0)
    net = Net()
    x = torch.randn(2, 3)
    with both(net=net) as sides:
        far = sides["net"]
        assert isinstance(far, nn.Module)
        assert isinstance(far.first, nn.Linear)
        assert far.width == 4
        assert [name for name, _ in far.named_parameters()] == ["first.weight", "first.bias"]
        assert set(far.state_dict()) == set(net.state_dict())
        far.eval()
        assert torch.equal(far(x), net.first(x) + 1)
        assert not net.training
        assert not net.drop.training
        assert torch.equal(far.first(x), net.first(x))
        assert getattr(far, "nothing", None) is None


def test_weights_written_on_one_side_are_those_of_the_other() -> None:
    net = Net().eval()
    new = {name: torch.full_like(value, 0.25) for name, value in net.state_dict().items()}
    with both(net=net, double=lambda model: [p.data.mul_(2) for p in model.parameters()] and None) as sides:
        far = sides["net"]
        far.load_state_dict(new)
        assert torch.equal(far(torch.ones(1, 3)), torch.full((1, 4), 1.25))
        ours = nn.Linear(2, 2)
        before = ours.weight.detach().clone()
        sides["double"](ours)
        assert torch.equal(ours.weight, 2 * before)
        with torch.no_grad():
            ours.weight.zero_()
        sides["double"](ours)
        assert not ours.weight.any()


@pytest.mark.parametrize("needs", [True, False])
def test_gradients_of_a_function_from_afar_equal_local_ones(needs: bool) -> None:
    def loss(x: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
        return (x.sin() @ w).sum(), (w**2).mean()

    x, w = torch.randn(2, 3, requires_grad=True), torch.randn(3, 1, requires_grad=needs)
    with both(loss=loss) as sides:
        first, second = sides["loss"](x, w)
        assert second.requires_grad is needs
        (first + 3 * second).backward()
    a, b = (t.detach().clone().requires_grad_() for t in (x, w))
    first, second = loss(a, b)
    (first + 3 * second).backward()
    torch.testing.assert_close(x.grad, a.grad)
    if needs:
        torch.testing.assert_close(w.grad, b.grad)
    else:
        assert w.grad is None


def test_gradients_flow_through_both_sides_and_back() -> None:
    w = torch.randn(3, requires_grad=True)

    def far(x: Tensor, ours: Any) -> Tensor:
        return ours(x * 2).exp()

    x = torch.randn(3, requires_grad=True)
    with both(far=far) as sides:
        sides["far"](x, lambda y: y * w).sum().backward()
    a, b = (t.detach().clone().requires_grad_() for t in (x, w))
    (2 * a * b).exp().sum().backward()
    torch.testing.assert_close(x.grad, a.grad)
    torch.testing.assert_close(w.grad, b.grad)


def test_a_second_backward_needs_the_graph_to_be_kept() -> None:
    with both(square=lambda x: (x**2).sum()) as sides:
        x = torch.ones(2, requires_grad=True)
        loss = sides["square"](x)
        loss.backward(retain_graph=True)
        loss.backward()
        assert torch.equal(x.grad, torch.full((2,), 4.0))
        with pytest.raises(RuntimeError, match="second time"):
            loss.backward()


def test_gradients_are_changed_though_their_tensors_came_one_by_one_and_nobody_kept_them() -> None:
    def halve(tensors: Iterator[torch.Tensor]) -> None:
        for gradient in [tensor.grad for tensor in tensors]:
            gradient *= 0.5

    weights = [torch.zeros(2, requires_grad=True) for _ in range(3)]
    for weight in weights:
        weight.grad = torch.ones(2)
    with both(halve=halve) as sides:
        sides["halve"](iter(weights))
    assert all(weight.grad.eq(0.5).all() for weight in weights)


def test_without_gradients_there_is_no_graph() -> None:
    with both(net=Net().eval(), flag=torch.is_grad_enabled) as sides:
        with torch.no_grad():
            assert not sides["net"](torch.ones(1, 3)).requires_grad
            assert not sides["flag"]()
        with torch.inference_mode():
            assert not sides["flag"]()
        assert sides["flag"]()


def train_here(model: Any, optimizer: Any, steps: int) -> float:
    for _ in range(steps):
        optimizer.zero_grad()
        loss = F.mse_loss(model(torch.eye(3)), torch.ones(3, 4))
        loss.backward()
        optimizer.step()
    return float(loss.detach())


def test_training_a_module_from_afar_equals_training_it_here() -> None:
    net = Net().eval()
    local = copy.deepcopy(net)
    with both(net=net) as sides:
        far = sides["net"]
        loss = train_here(far, torch.optim.AdamW(far.parameters(), lr=0.1), 5)
        assert far.width == 4  # the last step crosses with the next message
    assert loss == pytest.approx(train_here(local, torch.optim.AdamW(local.parameters(), lr=0.1), 5))
    torch.testing.assert_close(net.first.weight, local.first.weight)


def test_a_student_trains_our_module_with_our_optimizer_and_sets_its_rate() -> None:
    def train(model: Any, optimizer: Any) -> float:
        optimizer.param_groups[0]["lr"] = 0.01
        return train_here(model, optimizer, 4)

    nets = [Net().eval()]
    nets.append(copy.deepcopy(nets[0]))
    optimizers = [torch.optim.SGD(net.parameters(), lr=0.5, momentum=0.9) for net in nets]
    with both(train=train) as sides:
        loss = sides["train"](nets[0], optimizers[0])
    assert loss == pytest.approx(train(nets[1], optimizers[1]))
    assert optimizers[0].param_groups[0]["lr"] == 0.01
    torch.testing.assert_close(nets[0].first.weight, nets[1].first.weight)


def test_we_use_an_optimizer_that_a_student_makes_of_our_weights() -> None:
    model = TinyModel(5, 0)
    before = model.embedding.detach().clone()
    with both(make=lambda m: torch.optim.SGD(m.parameters(), lr=0.1)) as sides:
        optimizer = sides["make"](model)
        assert isinstance(optimizer, torch.optim.Optimizer)
        assert optimizer.param_groups[0]["params"][0] is model.embedding
        model(torch.tensor([[1]])).sum().backward()
        gradient = model.embedding.grad.clone()
        optimizer.param_groups[0]["lr"] = 0.2
        optimizer.step()
        torch.testing.assert_close(model.embedding.detach(), before - 0.2 * gradient)
        optimizer.zero_grad()
        assert model.embedding.grad is None
        assert sides["make"](model) is not optimizer


def test_gradients_are_clipped_in_place_though_nobody_holds_the_parameters() -> None:
    def clip(parameters: Any) -> None:
        for gradient in [p.grad for p in parameters]:
            gradient.mul_(0.5)

    weight = nn.Parameter(torch.ones(2))
    weight.grad = torch.ones(2)
    with both(clip=clip) as sides:
        sides["clip"](iter([weight]))
    assert torch.equal(weight.grad, torch.full((2,), 0.5))


def test_a_module_is_copied_where_it_lives() -> None:
    with both(net=Net().eval(), copy=copy.deepcopy) as sides:
        far = sides["net"]
        other = copy.deepcopy(far)
        with torch.no_grad():
            far.first.weight.zero_()
        assert other.first.weight.any()
        ours = nn.Linear(1, 1)
        theirs = sides["copy"](ours)
        assert theirs is not ours
        assert torch.equal(theirs.weight, ours.weight)


def test_freezing_crosses() -> None:
    def freeze(model: Any) -> None:
        model.first.weight.requires_grad = False

    net = Net()
    with both(freeze=freeze) as sides:
        sides["freeze"](net)
    assert not net.first.weight.requires_grad
    assert net.first.bias.requires_grad


def test_stand_ins_that_nobody_holds_are_let_go() -> None:
    with both(make=lambda: nn.Linear(4, 4)) as sides:
        for _ in range(5):
            sides["make"]()
        assert len(sides.far.exports) <= 6
        assert len(sides.checker.imports) <= 6


def test_what_is_put_into_a_lent_list_keeps_its_graph() -> None:
    def collect(x: Tensor, found: list[Tensor]) -> Tensor:
        found.append(3 * x)
        return 2 * x

    x, found = torch.ones(2, requires_grad=True), [torch.zeros(1)]
    with both(collect=collect) as sides:
        result = sides["collect"](x, found)
        (result + found[1]).sum().backward()
    assert torch.equal(x.grad, torch.full((2,), 5.0))
