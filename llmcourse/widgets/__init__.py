"""Explorers: small interactive pages that are live in a notebook and in the built book alike."""

from llmcourse.widgets.attention import AttentionExplorer
from llmcourse.widgets.sampling import SamplingExplorer, Step, true_next_tokens

__all__ = ["AttentionExplorer", "SamplingExplorer", "Step", "true_next_tokens"]
