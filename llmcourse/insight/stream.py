"""The vectors between the layers: what every layer reads and adds to."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from llmcourse.insight.capture import capture_inputs, capture_outputs
from llmcourse.model import Transformer
from llmcourse.model.block import Stack
from llmcourse.training import evaluation_mode


def last_stack(model: Transformer) -> Stack:
    """The stack that the head reads: the decoder, or the encoder where there is no decoder."""
    stack = model.encoder if model.decoder is None else model.decoder
    assert stack is not None
    return stack


def residual_stream(model: Transformer, *inputs: Any, **options: Any) -> Float[Tensor, "depth B T D"]:
    """The vectors before the first layer, and after each; `inputs` and `options` are those of the model's own call.

    They are taken in the stack that the head reads, before its final norm, with dropout off.
    """
    blocks = list(last_stack(model).blocks)
    with (
        evaluation_mode(model),
        torch.no_grad(),
        capture_inputs(blocks[:1]) as before,
        capture_outputs(blocks) as after,
    ):
        model(*inputs, **options)
    return torch.stack([*before, *after])
