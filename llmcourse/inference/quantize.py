"""Weights in 8 bits: each row of a matrix keeps whole numbers from -127 to 127 and one scale."""

import copy
from typing import TypeVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

Model = TypeVar("Model", bound=nn.Module)


class Int8Matrix(nn.Module):
    """A matrix kept as whole numbers and a scale per row; reading `weight` gives back nearly what it was made from.

    Source: Dettmers et al. 2022, for weights alone.
    """

    def __init__(self, weight: Float[Tensor, "rows columns"]) -> None:
        super().__init__()
        self.codes: Tensor
        self.scale: Tensor
        largest = weight.detach().abs().amax(dim=-1, keepdim=True)
        scale = torch.where(largest > 0, largest / 127, 1.0)  # a row of zeros stays one
        self.register_buffer("codes", (weight.detach() / scale).round().to(torch.int8))
        self.register_buffer("scale", scale)

    @property
    def weight(self) -> Float[Tensor, "rows columns"]:
        return self.codes * self.scale


class Int8Linear(Int8Matrix):
    """A linear layer with its matrix in 8 bits; the bias keeps its precision."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__(linear.weight)
        self.bias: Tensor | None
        self.register_buffer("bias", None if linear.bias is None else linear.bias.detach().clone())

    def forward(self, vectors: Float[Tensor, "*tokens columns"]) -> Float[Tensor, "*tokens rows"]:
        return F.linear(vectors, self.weight, self.bias)


class Int8Embedding(Int8Matrix):
    """A table of vectors in 8 bits."""

    def __init__(self, table: nn.Embedding) -> None:
        super().__init__(table.weight)

    def forward(self, ids: Int[Tensor, "*tokens"]) -> Float[Tensor, "*tokens columns"]:
        return self.codes[ids] * self.scale[ids]


def quantize(model: Model) -> Model:
    """A copy of the model with the matrix of every linear layer and every table in 8 bits, for use without training.

    Vectors between the layers keep their precision, and so do norms and biases.
    """
    smaller = copy.deepcopy(model)
    for module in list(smaller.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.Linear):
                setattr(module, name, Int8Linear(child))
            elif isinstance(child, nn.Embedding):
                setattr(module, name, Int8Embedding(child))
    return smaller.requires_grad_(False)


def n_bytes(model: nn.Module) -> int:
    """How much memory the model's numbers take, in bytes."""
    return sum(tensor.numel() * tensor.element_size() for tensor in model.state_dict().values())
