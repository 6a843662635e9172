"""The dear steps of a Transformer's training on a processor, each with its gradient written out by hand."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

SLOPE_AT_0, CUBIC = (8 / torch.pi) ** 0.5, 0.044715  # GELU by tanh is x times the sigmoid of SLOPE_AT_0 (x + CUBIC x³)
# what `torch.compile` calls for a product; a build without oneDNN, as for some of Apple's machines, has none
ONE_DNN = getattr(torch.ops.mkldnn, "_linear_pointwise", None) if torch.backends.mkldnn.is_available() else None
PIECE = 2**18  # numbers that go through GELU at a time; what they are worked out in stays in a processor's caches


def product(
    vectors: Float[Tensor, "B T columns"],
    weight: Float[Tensor, "rows columns"],
    bias: Float[Tensor, " rows"] | None = None,
) -> Float[Tensor, "B T rows"]:
    """What `F.linear` gives.

    PyTorch hands products to MKL, and from a compiled model to oneDNN, which takes a tenth less where MKL leaves
    AVX-512 alone, as it does on AMD's processors.
    """
    if vectors.device.type != "cpu" or vectors.dtype != torch.float32 or ONE_DNN is None:
        return F.linear(vectors, weight, bias)
    return ONE_DNN(vectors.contiguous(), weight, bias, "none", [], "")


def weight_gradients(
    gradient: Float[Tensor, "B T rows"], vectors: Float[Tensor, "B T columns"], has_bias: bool
) -> tuple[Float[Tensor, "rows columns"], Float[Tensor, " rows"] | None]:
    """The gradients of a product's weight and bias, from that of what it gave."""
    flat, read = gradient.flatten(0, 1), vectors.flatten(0, 1)
    # a product with ones: a sum over the tokens takes about as long at best, three times as long where memory is slow
    to_bias = (flat.new_ones(1, len(flat)) @ flat)[0] if has_bias else None
    if flat.shape[1] < read.shape[1]:  # only then does oneDNN take less time
        return product(flat.t()[None], read.t())[0], to_bias
    return flat.t() @ read, to_bias


class Linear(torch.autograd.Function):
    """`product` and its gradients."""

    @staticmethod
    def forward(
        ctx: Any,
        vectors: Float[Tensor, "B T columns"],
        weight: Float[Tensor, "rows columns"],
        bias: Float[Tensor, " rows"] | None,
    ) -> Float[Tensor, "B T rows"]:
        ctx.save_for_backward(vectors, weight)
        return product(vectors, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        vectors, weight = ctx.saved_tensors
        return product(gradient, weight.t()), *weight_gradients(gradient, vectors, ctx.needs_input_grad[2])


class GeluNetwork(torch.autograd.Function):
    """A feed-forward network with GELU by tanh, and its gradients.

    The slope of GELU is worked out beside it and kept in place of what it would be worked out from: both want the same
    sigmoid, which takes a sixth of the time of a tanh.
    """

    @staticmethod
    def forward(
        ctx: Any,
        vectors: Float[Tensor, "B T D"],
        up: Float[Tensor, "F D"],
        up_bias: Float[Tensor, " F"] | None,
        down: Float[Tensor, "D F"],
        down_bias: Float[Tensor, " D"] | None,
    ) -> Float[Tensor, "B T D"]:
        units = product(vectors, up, up_bias)
        slopes = bend(units)
        ctx.save_for_backward(vectors, up, down, units, slopes)
        return product(units, down, down_bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        vectors, up, down, units, slopes = ctx.saved_tensors
        to_units = product(gradient, down.t()).mul_(slopes)
        of_up = weight_gradients(to_units, vectors, ctx.needs_input_grad[2])
        of_down = weight_gradients(gradient, units, ctx.needs_input_grad[4])
        return product(to_units, up.t()), *of_up, *of_down


def bend(units: Float[Tensor, "B T F"]) -> Float[Tensor, "B T F"]:
    """The slopes of GELU by tanh, which itself takes the place of the units."""
    slopes, scratch = torch.empty_like(units), units.new_empty(min(PIECE, units.numel()))
    at_0 = units.new_tensor(SLOPE_AT_0)
    for x, slope in zip(units.view(-1).split(PIECE), slopes.view(-1).split(PIECE), strict=True):
        v = torch.mul(x, x, out=slope)
        torch.add(at_0, v, alpha=SLOPE_AT_0 * CUBIC, out=v).mul_(x)
        share = torch.sigmoid(v, out=scratch[: len(v)])
        # share + x share (1 - share) dv/dx, where x dv/dx = 3v - 2 SLOPE_AT_0 x
        v.sub_(x, alpha=2 / 3 * SLOPE_AT_0)
        x.mul_(share)
        torch.ops.aten.sigmoid_backward.grad_input(v, share, grad_input=slope)
        torch.add(share, slope, alpha=3, out=slope)
    return slopes
