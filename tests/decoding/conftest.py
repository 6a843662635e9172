"""A tiny model with a peaked distribution, and one whose next token is known by hand."""

import pytest
import torch

from llmcourse.model import Learned, Transformer, TransformerConfig


@pytest.fixture
def model() -> Transformer:
    config = TransformerConfig(
        vocab_size=13, d_model=16, d_ff=24, n_heads=2, n_decoder_layers=2, position=Learned(40), tie_embeddings=False
    )
    model = Transformer(config)
    generator = torch.Generator().manual_seed(6)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn(weight.shape, generator=generator) * 0.3)
    return model.eval()
