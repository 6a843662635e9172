"""From logits to text: transforms, sampling, greedy and beam search."""

from llmcourse.decoding.beam import Hypothesis, beam_search
from llmcourse.decoding.generate import choose, generate, stream
from llmcourse.decoding.transforms import (
    LogitTransform,
    compose,
    min_p,
    repetition_penalty,
    temperature,
    top_k,
    top_p,
)

__all__ = [
    "Hypothesis",
    "LogitTransform",
    "beam_search",
    "choose",
    "compose",
    "generate",
    "min_p",
    "repetition_penalty",
    "stream",
    "temperature",
    "top_k",
    "top_p",
]
