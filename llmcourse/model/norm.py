"""What keeps vectors at a steady size, so that many layers can be stacked."""

from torch import nn

from llmcourse.model.config import TransformerConfig


def make_norm(config: TransformerConfig) -> nn.Module:
    """LayerNorm (Ba et al. 2016) or RMSNorm (Zhang & Sennrich 2019) over the model width."""
    kind = nn.LayerNorm if config.norm == "layer" else nn.RMSNorm
    return kind(config.d_model, eps=config.norm_eps)
