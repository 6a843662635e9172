"""One Transformer for many families: a frozen config decides everything."""

from llmcourse.model.attention import ExplicitAttend, attend, fused_attend, merge_heads, split_heads
from llmcourse.model.cache import KVCache
from llmcourse.model.capture import capture_attention, capture_outputs
from llmcourse.model.config import Alibi, Bucketed, Experts, Learned, Rotary, Sinusoidal, TransformerConfig
from llmcourse.model.count import count_parameters, parameters_by_part
from llmcourse.model.mask import causal
from llmcourse.model.presets import PRESETS, preset
from llmcourse.model.quantize import n_bytes, quantize
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
    "capture_attention",
    "capture_outputs",
    "causal",
    "count_parameters",
    "fused_attend",
    "merge_heads",
    "n_bytes",
    "parameters_by_part",
    "preset",
    "quantize",
    "split_heads",
]
