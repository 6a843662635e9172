"""Looking inside a running model with ordinary forward hooks."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from torch import Tensor, nn

from llmcourse.model.attention import ExplicitAttend
from llmcourse.model.block import Block
from llmcourse.model.transformer import Transformer


@contextmanager
def capture_attention(model: Transformer) -> Iterator[list[Tensor]]:
    """A list that fills with each layer's attention weights, `B H T S`, as the model runs.

    Self-attention of the decoder, or of the encoder where there is no decoder.
    Raises: ValueError when the model was built with another `attend`, which shows no weights.
    """
    stack = model.encoder if model.decoder is None else model.decoder
    assert stack is not None
    attends = [block.attention.attend for block in stack.blocks if isinstance(block, Block)]
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
