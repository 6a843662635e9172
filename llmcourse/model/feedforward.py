"""What a token does with what it has read: a small network, the same at every position."""

from collections.abc import Callable
from functools import partial

import torch
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

    def forward(self, vectors: Float[Tensor, "*tokens D"]) -> Float[Tensor, "*tokens D"]:
        if self.gate is None:
            return self.down(self.activation(self.up(vectors)))
        return self.down(self.activation(self.gate(vectors)) * self.up(vectors))


class Mixture(nn.Module):
    """Several feed-forward networks, of which a router picks a few for each token and weighs their answers.

    Source: Jiang et al. 2024, section 2.1.
    """

    def __init__(self, config: TransformerConfig, n_experts: int, n_chosen: int) -> None:
        super().__init__()
        self.n_chosen = n_chosen
        self.router = nn.Linear(config.d_model, n_experts, bias=False)
        self.experts = nn.ModuleList(FeedForward(config) for _ in range(n_experts))

    def forward(self, vectors: Float[Tensor, "*tokens D"]) -> Float[Tensor, "*tokens D"]:
        scores, chosen = self.router(vectors).topk(self.n_chosen)
        weights = torch.zeros_like(vectors[..., :1]).expand(*vectors.shape[:-1], len(self.experts))
        weights = weights.scatter(-1, chosen, scores.softmax(dim=-1))  # one per expert, 0 where it was not chosen
        answers = torch.zeros_like(vectors)
        for index, expert in enumerate(self.experts):
            asked = (chosen == index).any(dim=-1)  # only these tokens cost anything
            answers[asked] += weights[asked][:, index, None] * expert(vectors[asked])
        return answers


def make_feedforward(config: TransformerConfig) -> nn.Module:
    """The network that a block thinks with: one, or a mixture of several."""
    if config.experts is None:
        return FeedForward(config)
    return Mixture(config, config.experts.n_experts, config.experts.n_chosen)
