"""Which models the fused decoder can stand in for; all others are run as they are."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from llmcourse.inference.fused import FusedDecoder
from llmcourse.model import ExplicitAttend, Transformer, attend, fused_attend
from llmcourse.model import position as schemes
from llmcourse.model.attention import Attention
from llmcourse.model.block import Block, Stack
from llmcourse.model.feedforward import FeedForward

# whose `forward` the fused decoder knows; a module of any other kind might do anything
KNOWN = (
    *(Transformer, Stack, Block, Attention, FeedForward, ExplicitAttend),
    *(schemes.SinusoidalPosition, schemes.LearnedPosition, schemes.RotaryPosition),
    *(schemes.AlibiPosition, schemes.BucketedPosition),
    *(nn.Embedding, nn.Linear, nn.LayerNorm, nn.RMSNorm, nn.ModuleList, nn.Dropout, nn.Softmax),
)


def fuse(
    model: object,
    memory: Float[Tensor, "R M D"] | None = None,
    memory_is_real: Bool[Tensor, "R M"] | None = None,
) -> FusedDecoder | None:
    """The fused decoder of the model, or None for one that it cannot speak for.

    That is whatever is no Transformer with a language model's head and ordinary parts, or has a hook, an `attend` of
    its own, dropout at work, or numbers of less than 32 bits.
    """
    if not isinstance(model, Transformer) or not can_fuse(model) or (model.encoder is None) != (memory is None):
        return None
    return FusedDecoder(model, memory, memory_is_real)


def can_fuse(model: Transformer, *, dropout: bool = False) -> bool:
    """Whether its decoder is one whose work may be done another way; with `dropout` even where that is at work."""
    if model.decoder is None or model.config.head != "lm" or torch.is_autocast_enabled(model.tokens.weight.device.type):
        return False
    # of an encoder only the memory matters
    named = [(name, module) for name, module in model.named_modules() if not f"{name}.".startswith("encoder.")]
    dtypes = {weight.dtype for weight in model.parameters()}
    if len(dtypes) > 1 or not dtypes <= {torch.float32, torch.float64}:
        return False
    return all(_is_plain(module) and (dropout or not _drops(module)) for _, module in named)


def _is_plain(module: nn.Module) -> bool:
    if type(module) not in KNOWN or "forward" in vars(module) or module._forward_hooks or module._forward_pre_hooks:
        return False
    if isinstance(module, Attention) and not isinstance(module.attend, nn.Module):
        return module.attend in (attend, fused_attend)
    return True


def _drops(module: nn.Module) -> bool:
    return isinstance(module, nn.Dropout) and module.training and module.p > 0
