"""What a token does with what it has read: a small network, the same at every position."""

from collections.abc import Callable
from functools import partial

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from llmcourse.model.config import TransformerConfig

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu,
    "gelu": F.gelu,
    "gelu_tanh": partial(F.gelu, approximate="tanh"),
    "silu": F.silu,
}


class FeedForward(nn.Module):
    """Widen, bend, narrow; a gated one lets a second projection decide how much of each unit passes.

    Source: Vaswani et al. 2017, section 3.3; gates: Shazeer 2020, section 2.
    """

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.activation = ACTIVATIONS[config.activation]
        self.up = nn.Linear(config.d_model, config.d_ff, bias=config.bias)
        self.gate = nn.Linear(config.d_model, config.d_ff, bias=config.bias) if config.gated else None
        self.down = nn.Linear(config.d_ff, config.d_model, bias=config.bias)

    def forward(self, vectors: Float[Tensor, "B T D"]) -> Float[Tensor, "B T D"]:
        if self.gate is None:
            return self.down(self.activation(self.up(vectors)))
        return self.down(self.activation(self.gate(vectors)) * self.up(vectors))
