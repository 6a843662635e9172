"""How many numbers a Transformer trains, and where they sit, counted on shapes without holding a weight."""

from functools import cache

import torch

from llmcourse.model.config import TransformerConfig
from llmcourse.model.transformer import Transformer

# the first marker that a weight's name contains decides; norms come first, as "attention_norm" names both
PARTS: dict[str, tuple[str, ...]] = {
    "norms": ("norm",),
    "token vectors": ("tokens.", "segments."),
    "position vectors": (".position.",),
    "attention": ("attention.",),
    "feed-forward": ("feedforward.",),
    "output matrix": ("unembed.",),
}


def parameters_by_part(config: TransformerConfig) -> dict[str, int]:
    """How many parameters each part of such a model has; parts that it lacks are left out."""
    return dict(_count_parts(config))


def count_parameters(config: TransformerConfig) -> int:
    """How many parameters such a model has."""
    return sum(count for _, count in _count_parts(config))


@cache  # a model of 80 layers takes a second to lay out, even without weights
def _count_parts(config: TransformerConfig) -> tuple[tuple[str, int], ...]:
    with torch.device("meta"):
        model = Transformer(config)
    counts = dict.fromkeys(PARTS, 0)
    for name, weight in model.named_parameters():
        part = next(part for part, markers in PARTS.items() if any(marker in name for marker in markers))
        counts[part] += weight.numel()
    return tuple((part, count) for part, count in counts.items() if count)
