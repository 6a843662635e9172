"""One example of every figure, from made-up numbers."""

from collections.abc import Callable

import numpy as np

from llmcourse import plots
from llmcourse.plots import Picture

TOKENS = ["the", "dog", "that", "lost", "its", "key", "was", "sad"]
STEPS = np.arange(60)
LOSSES = 1.2 + 4 * np.exp(-STEPS / 15)


def attention(heads: int = 3, length: int = len(TOKENS), seed: int = 0) -> np.ndarray:
    """Random causal weights: heads x time x source, rows that sum to 1."""
    scores = np.exp(2 * np.random.default_rng(seed).normal(size=(heads, length, length)))
    weights = scores * np.tril(np.ones((length, length)))
    return weights / weights.sum(-1, keepdims=True)


CANDIDATES = [
    (("the",), -0.5, True),
    (("a",), -1.2, True),
    (("the", "dog"), -1.1, True),
    (("the", "cat"), -1.3, True),
    (("a", "dog"), -2.0, False),
]

GALLERY: dict[str, Callable[[], Picture]] = {
    "loss_curve": lambda: plots.loss_curve(STEPS, LOSSES, floor=1.1, references={"bigram": 3.1}, smooth=5),
    "lines": lambda: plots.lines({"model": LOSSES, "bigram": LOSSES + 1}, x_label="step", y_label="loss (nats)"),
    "bars": lambda: plots.bars(["ran", "barked"], [0.6, 0.4], truth=[0.5, 0.5]),
    "grouped bars": lambda: plots.bars(["a", "b"], {"model": [1, 2], "baseline": [2, 1]}, value_label="count"),
    "distribution_bars": lambda: plots.distribution_bars({"ran": 0.7, "": 0.3}, {"ran": 1.0}),
    "histogram": lambda: plots.histogram(LOSSES, x_label="loss (nats)", marks={"floor": 1.1}),
    "heatmap": lambda: plots.heatmap(
        attention(1)[0], TOKENS, TOKENS, column_title="read", row_title="reads", numbers=".2f"
    ),
    "attention_heads": lambda: plots.attention_heads(attention(3), TOKENS),
    "positions_heatmap": lambda: plots.positions_heatmap(np.sin(np.outer(np.arange(20), 1 / np.arange(1, 9)))),
    "token_strip": lambda: plots.token_strip(["the", " dog", "\n", b"\xe2\x82", "$5"], ids=range(5)),
    "shaded token_strip": lambda: plots.token_strip(TOKENS, attention(1)[0][-1]),
    "token_steps": lambda: plots.token_steps({"before": list("aab"), "after": ["aa", "b"]}),
    "token_surprisal": lambda: plots.token_surprisal(TOKENS, np.arange(8.0), floor=np.ones(8), per_line=5),
    "transformer_block": plots.transformer_block,
    "cross block": lambda: plots.transformer_block(cross=True),
    "three_families": plots.three_families,
    "nested_sets": lambda: plots.nested_sets(["AI", "machine learning", "deep learning"]),
    "beam_tree": lambda: plots.beam_tree(CANDIDATES),
    "two_rankings": lambda: plots.two_rankings(
        ["rotary positions", "batches of 2", "as it is", "no weight decay"],
        [2.0, 2.5, 3.0, 3.0],
        [1.5, 0.9, 1.8, 1.7],
        titles=("stories", "real text"),
    ),
}
