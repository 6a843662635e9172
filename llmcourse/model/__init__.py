"""One Transformer for many families: a frozen config decides everything."""

from llmcourse.model.attention import ExplicitAttend, attend, fused_attend, merge_heads, split_heads
from llmcourse.model.cache import KVCache
from llmcourse.model.config import Alibi, Bucketed, Experts, Learned, Rotary, Sinusoidal, TransformerConfig
from llmcourse.model.mask import causal
from llmcourse.model.presets import PRESETS, preset
from llmcourse.model.presets.count import count_parameters, parameters_by_part
from llmcourse.model.transformer import Transformer

__all__ = [
    "PRESETS",
    "Alibi",
    "Bucketed",
    "Experts",
    "ExplicitAttend",
    "KVCache",
    "Learned",
    "Rotary",
    "Sinusoidal",
    "Transformer",
    "TransformerConfig",
    "attend",
    "causal",
    "count_parameters",
    "fused_attend",
    "merge_heads",
    "parameters_by_part",
    "preset",
    "split_heads",
]
