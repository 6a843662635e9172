"""The logit lens: what the model would say if it stopped after each layer."""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from llmcourse.insight.stream import last_stack, residual_stream
from llmcourse.model import Transformer
from llmcourse.training import evaluation_mode


def logit_lens(model: Transformer, *inputs: Any, **options: Any) -> Float[Tensor, "depth B T V"]:
    """The logits read off the vectors before the first layer, and after each; the last are the model's own.

    `inputs` and `options` are those of the model's own call. Raises: ValueError for a head that scores no tokens.
    Source: nostalgebraist 2020.
    """
    if model.config.head not in ("lm", "mlm"):
        raise ValueError(f"The logit lens needs a head that scores tokens, lm or mlm, not {model.config.head!r}.")
    stream = residual_stream(model, *inputs, **options)
    norm = last_stack(model).final_norm  # of which a model with its norms last has none
    with evaluation_mode(model), torch.no_grad():
        return torch.stack([model.read_off(vectors if norm is None else norm(vectors)) for vectors in stream])


def lens_nats(lens: Float[Tensor, "depth B T V"], targets: Int[Tensor, "B T"]) -> Float[Tensor, "depth B T"]:
    """The surprise at each target, read at each depth."""
    picked = targets.expand(lens.shape[:-1])[..., None]
    return -F.log_softmax(lens, dim=-1).gather(-1, picked)[..., 0]


def ranks(logits: Float[Tensor, "*places V"], answers: Int[Tensor, "*places"]) -> Int[Tensor, "*places"]:
    """How many tokens the logits put above the answer: 0 where it comes first."""
    return (logits > logits.gather(-1, answers[..., None])).sum(dim=-1)


def readable_from(found: Int[Tensor, "depth ..."]) -> Int[Tensor, "..."]:
    """The least depth from which on the rank stays 0; the number of depths where it is not 0 at the end."""
    stays = (found == 0).flip(0).long().cumprod(dim=0)
    return len(found) - stays.sum(dim=0)
