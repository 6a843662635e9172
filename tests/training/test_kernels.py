"""The hand-written steps against PyTorch's own, there and back."""

import pytest
import torch
from torch.nn import functional as F
from torch.testing import assert_close

from llmcourse.training import kernels
from llmcourse.training.kernels import GeluNetwork, Linear, product


def numbers(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def network(vectors, up, up_bias, down, down_bias):
    return F.linear(F.gelu(F.linear(vectors, up, up_bias), approximate="tanh"), down, down_bias)


def there_and_back(function, arguments):
    arguments = [each if each is None else each.clone().requires_grad_() for each in arguments]
    out = function(*arguments)
    (out * numbers(*out.shape, seed=9).to(out.dtype)).sum().backward()
    return [out.detach(), *(each.grad for each in arguments if each is not None)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("sizes", [(3, 7, 5, 4), (2, 1, 6, 8), (1, 9, 4, 1), (4, 32, 48, 64), (1, 1, 1, 1)])
def test_a_product_is_what_linear_gives_and_lies_in_one_piece(sizes, dtype):
    n_rows, n_tokens, columns, rows = sizes
    vectors, weight, bias = (
        numbers(*shape, seed=seed).to(dtype)
        for seed, shape in enumerate([(n_rows, n_tokens, columns), (columns, rows), (rows,)])
    )
    for laid_out in (weight.t(), weight.t().contiguous()):
        ours = product(vectors, laid_out, bias)
        assert_close(ours, F.linear(vectors, laid_out, bias))
        assert ours.is_contiguous()
    apart = vectors.transpose(0, 1).contiguous().transpose(0, 1)  # the same numbers elsewhere in memory
    assert_close(product(apart, weight.t()), F.linear(vectors, weight.t()))


@pytest.mark.parametrize("has_bias", [True, False])
def test_linear_and_its_gradients_are_pytorchs(has_bias):
    arguments = [numbers(3, 7, 5), numbers(4, 5, seed=1), numbers(4, seed=2) if has_bias else None]
    assert_close(there_and_back(Linear.apply, arguments), there_and_back(F.linear, arguments), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("has_bias", [True, False])
def test_the_network_and_its_gradients_are_pytorchs(has_bias, monkeypatch):
    monkeypatch.setattr(kernels, "PIECE", 50)  # the last piece is a short one
    biases = [numbers(6, seed=2), numbers(5, seed=3)] if has_bias else [None, None]
    arguments = [numbers(3, 7, 5), numbers(6, 5, seed=1) * 2, biases[0], numbers(5, 6, seed=4), biases[1]]
    ours, theirs = there_and_back(GeluNetwork.apply, arguments), there_and_back(network, arguments)
    assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


def test_the_slope_of_the_network_is_its_gradient():
    double = torch.double
    arguments = [numbers(*s, dtype=double, seed=i) for i, s in enumerate([(2, 3, 4), (5, 4), (5,), (4, 5), (4,)])]
    assert torch.autograd.gradcheck(GeluNetwork.apply, [each.requires_grad_() for each in arguments])


def test_bending_is_gelu_from_one_end_of_the_line_to_the_other():
    places = torch.linspace(-30, 30, 601, dtype=torch.double)[None, None].requires_grad_()
    bent = F.gelu(places, approximate="tanh")
    bent.sum().backward()
    units = places.detach().clone()
    slopes = kernels.bend(units)
    assert_close(units, bent.detach(), rtol=1e-12, atol=1e-12)
    assert_close(slopes, places.grad, rtol=1e-12, atol=1e-12)
