"""From logits to text: transforms, sampling, greedy and beam search, speculative decoding."""

from llmcourse.decoding.beam import Hypothesis, beam_search
from llmcourse.decoding.generate import choose, draw, generate, stream
from llmcourse.decoding.oracle import OracleModel
from llmcourse.decoding.reading import FromSource, LanguageModel
from llmcourse.decoding.speculative import Round, speculate
from llmcourse.decoding.stopping import until
from llmcourse.decoding.transforms import (
    LogitTransform,
    compose,
    frequency_penalty,
    min_p,
    no_repeat_ngram,
    presence_penalty,
    repetition_penalty,
    temperature,
    top_k,
    top_p,
)

__all__ = [
    "FromSource",
    "Hypothesis",
    "LanguageModel",
    "LogitTransform",
    "OracleModel",
    "Round",
    "beam_search",
    "choose",
    "compose",
    "draw",
    "frequency_penalty",
    "generate",
    "min_p",
    "no_repeat_ngram",
    "presence_penalty",
    "repetition_penalty",
    "speculate",
    "stream",
    "temperature",
    "top_k",
    "top_p",
    "until",
]
