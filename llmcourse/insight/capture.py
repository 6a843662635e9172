"""Looking inside a running model with ordinary forward hooks."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

from torch import Tensor, nn

from llmcourse.model.attention import ExplicitAttend
from llmcourse.model.block import Block
from llmcourse.model.transformer import Transformer


@contextmanager
def capture_attention(
    model: Transformer, where: Literal["encoder", "decoder", "cross"] | None = None
) -> Iterator[list[Tensor]]:
    """A list that fills with each layer's attention weights, `B H T S`, as the model runs.

    `where` is self-attention of either stack, or the decoder's attention to the encoder; None is the decoder's, or
    the encoder's where there is no decoder.
    Raises: ValueError when the model has no such attention, or was built with another `attend`, which shows no weights.
    """
    stack = model.encoder if where == "encoder" or model.decoder is None else model.decoder
    blocks = [block for block in stack.blocks if isinstance(block, Block)] if stack is not None else []
    layers = [block.cross_attention if where == "cross" else block.attention for block in blocks]
    attends = [layer.attend for layer in layers if layer is not None]
    if not attends or (where == "decoder" and model.decoder is None):
        raise ValueError(f"This model has no attention of the kind {where!r}.")
    softmaxes = [each.softmax for each in attends if isinstance(each, ExplicitAttend)]
    if len(softmaxes) < len(attends):
        raise ValueError("This model's attend keeps no weights; build it with attend=None to read them.")
    with capture_outputs(softmaxes) as weights:
        yield weights


@contextmanager
def capture_outputs(modules: Sequence[nn.Module]) -> Iterator[list[Tensor]]:
    """A list that fills with what each module returns, in the order in which they run."""
    outputs: list[Tensor] = []
    hooks = [module.register_forward_hook(lambda _m, _i, out: outputs.append(out.detach())) for module in modules]
    try:
        yield outputs
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def capture_inputs(modules: Sequence[nn.Module]) -> Iterator[list[Tensor]]:
    """A list that fills with the first thing that each module is given, in the order in which they run."""
    inputs: list[Tensor] = []
    hooks = [module.register_forward_pre_hook(lambda _m, given: inputs.append(given[0].detach())) for module in modules]
    try:
        yield inputs
    finally:
        for hook in hooks:
            hook.remove()
