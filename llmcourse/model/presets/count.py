"""How many numbers a Transformer trains, and where they sit, counted on shapes without holding a weight."""

import dataclasses
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
    "head": ("head.", "logits_bias"),
}


def parameters_by_part(config: TransformerConfig) -> dict[str, int]:
    """How many parameters each part of such a model has; parts that it lacks are left out."""
    return dict(_count_parts(config))


def count_parameters(config: TransformerConfig) -> int:
    """How many parameters such a model has."""
    return sum(count for _, count in _count_parts(config))


@cache
def _count_parts(config: TransformerConfig) -> tuple[tuple[str, int], ...]:
    layers = {"encoder": config.n_encoder_layers, "decoder": config.n_decoder_layers}
    # the layers of a stack are alike, so one of them is laid out and counted as often as there are layers
    n_encoder, n_decoder = min(config.n_encoder_layers, 1), min(config.n_decoder_layers, 1)
    with torch.device("meta"):
        model = Transformer(dataclasses.replace(config, n_encoder_layers=n_encoder, n_decoder_layers=n_decoder))
    counts = dict.fromkeys(PARTS, 0)
    for name, weight in model.named_parameters():
        part = next(part for part, markers in PARTS.items() if any(marker in name for marker in markers))
        counts[part] += weight.numel() * (layers[name.split(".")[0]] if ".blocks." in name else 1)
    return tuple((part, count) for part, count in counts.items() if count)
