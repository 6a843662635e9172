"""Small explorers of made-up numbers."""

import numpy as np

from llmcourse.widgets import AttentionExplorer, SamplingExplorer, Step

TOKENS = ["<|end|>", " ran", " sat", "</script>", "\n", *(f" t{i}" for i in range(60))]


def sampling(n_steps: int = 2, seed: int = 0, **settings) -> SamplingExplorer:
    """An explorer of random logits; the truth allows the first three tokens only."""
    draw = np.random.default_rng(seed)
    truth = [0.2, 0.5, 0.3] + [0.0] * (len(TOKENS) - 3)
    steps = [Step(f"The dog & <b>cat</b> {i}", TOKENS, draw.normal(0, 2, len(TOKENS)), truth) for i in range(n_steps)]
    return SamplingExplorer(steps, **settings)


def weights(n_layers: int = 2, n_heads: int = 3, size: int = 5, seed: int = 0) -> np.ndarray:
    """Random causal attention: layer x head x reader x read."""
    scores = np.exp(2 * np.random.default_rng(seed).normal(size=(n_layers, n_heads, size, size)))
    causal = scores * np.tril(np.ones((size, size)))
    return causal / causal.sum(-1, keepdims=True)


def attention(**settings) -> AttentionExplorer:
    """An explorer of random attention over five tokens."""
    return AttentionExplorer(["<|end|>", "The", " dog", " ran", "."], weights(), **settings)
