"""How gradients become updates: AdamW for all weights, or Muon for the matrices; and how long a gradient may be."""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim.adamw import adamw

from llmcourse.training.config import TrainConfig
from llmcourse.training.distributed import split_like, whole

OUTPUT_LAYERS = ("unembed", "head", "classifier")


def clip_gradients(parameters: Iterable[nn.Parameter], max_norm: float | None) -> float:
    """The length of all gradients as one vector; longer than `max_norm`, they all shrink by the same factor.

    One factor for all keeps the direction of the step. Parameters without a gradient are passed over.
    Source: Pascanu et al. 2013, algorithm 1.
    """
    gradients = [weight.grad for weight in parameters if weight.grad is not None]
    if not gradients:
        return 0.0
    norm = whole(torch.stack([gradient.norm() for gradient in gradients]).norm())
    if max_norm is not None and norm > max_norm:
        for gradient in gradients:
            gradient.mul_(max_norm / (norm + 1e-6))
    return float(norm)


def make_optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """The optimiser of the recipe over all parameters that train; only matrices decay.

    A bias or a norm's gain that is pulled to zero gains nothing, so vectors keep their size.
    """
    trained = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
    if not trained:
        raise ValueError("The model has no parameter that trains.")
    hidden = hidden_matrices(model) if config.optimizer == "muon" else {}
    rest = [weight for name, weight in trained.items() if name not in hidden]
    groups: list[dict[str, Any]] = [
        {"params": list(hidden.values()), "muon": True, "weight_decay": config.weight_decay},
        {"params": [w for w in rest if w.dim() > 1], "muon": False, "weight_decay": config.weight_decay},
        {"params": [w for w in rest if w.dim() <= 1], "muon": False, "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    if config.optimizer == "muon":
        return Muon(groups, lr=config.lr, momentum=config.momentum, ns_steps=config.ns_steps, betas=config.betas)
    return torch.optim.AdamW(groups, lr=config.lr, betas=config.betas)


def hidden_matrices(model: nn.Module) -> dict[str, nn.Parameter]:
    """The weights of linear layers between hidden vectors: neither embeddings nor what reads off the output."""
    embeddings = {id(layer.weight) for layer in model.modules() if isinstance(layer, nn.Embedding)}
    return {
        f"{name}.weight": weight
        for name, layer in model.named_modules()
        if isinstance(layer, nn.Linear) and name.split(".")[-1] not in OUTPUT_LAYERS
        if isinstance(weight := layer.weight, nn.Parameter) and weight.requires_grad and id(weight) not in embeddings
    }


def orthogonalise(matrix: Float[Tensor, "*batch rows columns"], steps: int = 5) -> Float[Tensor, "*batch rows columns"]:
    """Nearly the same matrix with all its singular values near 1: every direction moves equally far.

    A Newton-Schulz iteration, which needs matrix products only. Source: Jordan et al. 2024, with their coefficients.
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = matrix.shape[-2] > matrix.shape[-1]
    x = matrix.mT if tall else matrix
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if tall else x


class Muon(torch.optim.Optimizer):
    """Momentum, orthogonalised, for groups marked `muon`; AdamW for the others.

    A matrix's update is scaled to be about as large as AdamW's, so that one learning rate serves both.
    Source: Jordan et al. 2024; the scale from Liu et al. 2025, section 2.2.
    """

    def __init__(
        self,
        groups: Sequence[dict[str, Any]],
        lr: float,
        momentum: float = 0.95,
        ns_steps: int = 5,
        betas: tuple[float, float] = (0.9, 0.95),
        eps: float = 1e-8,
    ) -> None:
        defaults = {"lr": lr, "momentum": momentum, "ns_steps": ns_steps, "betas": betas, "eps": eps}
        # the entry `fused` tells `load_state_dict` that the number of steps must lie where the weight does
        defaults |= {"weight_decay": 0.0, "muon": False, "fused": True}
        super().__init__(groups, defaults)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Updates every parameter that has a gradient."""
        for group in self.param_groups:
            weights = [weight for weight in group["params"] if weight.grad is not None]
            if weights:
                (self._muon if group["muon"] else self._adam)(weights, group)

    def _muon(self, weights: Sequence[nn.Parameter], group: dict[str, Any]) -> None:
        alike: dict[torch.Size, list[tuple[nn.Parameter, Tensor]]] = {}  # matrices of one shape go together
        for weight in weights:
            ahead = whole(self._look_ahead(weight, group))
            alike.setdefault(ahead.shape, []).append((weight, ahead))
        for shape, pairs in alike.items():
            updates = orthogonalise(torch.stack([ahead for _, ahead in pairs]), group["ns_steps"])
            for (weight, _), update in zip(pairs, updates, strict=True):
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                weight.add_(split_like(update, weight), alpha=-group["lr"] * 0.2 * max(shape) ** 0.5)

    def _look_ahead(self, weight: nn.Parameter, group: dict[str, Any]) -> Tensor:
        """The gradient and its running mean, mixed: where the mean will be one step further, as Nesterov has it."""
        state = self.state[weight]
        if not state:
            state["momentum"] = torch.zeros_like(weight)
        assert weight.grad is not None
        state["momentum"].lerp_(weight.grad, 1 - group["momentum"])
        return weight.grad.lerp(state["momentum"], group["momentum"])

    def _adam(self, weights: Sequence[nn.Parameter], group: dict[str, Any]) -> None:
        for weight in weights:
            if not self.state[weight]:
                zeros = {name: torch.zeros_like(weight) for name in ("mean", "square")}
                self.state[weight] = {"step": torch.zeros((), device=weight.device), **zeros}
        states = [self.state[weight] for weight in weights]
        first, second = group["betas"]
        adamw(
            list(weights),
            [weight.grad for weight in weights if weight.grad is not None],
            [state["mean"] for state in states],
            [state["square"] for state in states],
            [],
            [state["step"] for state in states],
            fused=group["fused"],
            amsgrad=False,
            beta1=first,
            beta2=second,
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            maximize=False,
        )
