"""Figures in the house style: each function takes plain numbers and returns one Matplotlib figure."""

from llmcourse.plots.bars import bars, distribution_bars
from llmcourse.plots.curves import histogram, lines, loss_curve
from llmcourse.plots.diagrams import beam_tree, nested_sets, three_families, transformer_block
from llmcourse.plots.grids import attention_heads, heatmap, positions_heatmap
from llmcourse.plots.rankings import two_rankings
from llmcourse.plots.style import Picture
from llmcourse.plots.text import token_steps, token_strip, token_surprisal

__all__ = [
    "Picture",
    "attention_heads",
    "bars",
    "beam_tree",
    "distribution_bars",
    "heatmap",
    "histogram",
    "lines",
    "loss_curve",
    "nested_sets",
    "positions_heatmap",
    "three_families",
    "token_steps",
    "token_strip",
    "token_surprisal",
    "transformer_block",
    "two_rankings",
]
