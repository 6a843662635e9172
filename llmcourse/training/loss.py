"""How surprised the model was: the negative logarithm of what it gave to the token that came."""

from collections.abc import Callable

from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from llmcourse.data import IGNORE, Batch

Objective = Callable[[nn.Module, Batch], Tensor]


def token_nats(logits: Float[Tensor, "B T V"], targets: Int[Tensor, "B T"]) -> Float[Tensor, "B T"]:
    """The surprise at each target, in nats; 0 where the target is to be ignored.

    Raises: ValueError for a target outside the vocabulary.
    """
    check_targets(targets, logits.shape[-1])
    # half precision would round the sum over the vocabulary
    flat = F.cross_entropy(logits.float().flatten(0, 1), targets.flatten(), ignore_index=IGNORE, reduction="none")
    return flat.view(targets.shape)


def check_targets(targets: Int[Tensor, "B T"], n_vocab: int) -> None:
    """Raises: ValueError for a target outside the vocabulary."""
    outside = (targets != IGNORE) & ((targets < 0) | (targets >= n_vocab))
    if outside.any():
        raise ValueError(f"Target {int(targets[outside][0])} lies outside the vocabulary of {n_vocab}.")


def cross_entropy(logits: Float[Tensor, "B T V"], targets: Int[Tensor, "B T"]) -> Float[Tensor, ""]:
    """The mean surprise over the targets that count, in nats per token; 0 where there is none."""
    return token_nats(logits, targets).sum() / (targets != IGNORE).sum().clamp(min=1)


def next_token_nats(model: nn.Module, batch: Batch) -> Float[Tensor, "B T"]:
    """What training minimises by default: the surprise at each next token, 0 where there is none to predict."""
    return token_nats(model(batch.inputs), batch.targets)
