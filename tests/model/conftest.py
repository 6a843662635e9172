"""Tiny models of every kind that one config can describe; all dimensions differ."""

import pytest
import torch

from llmcourse.model import Alibi, Bucketed, Learned, Rotary, Sinusoidal, Transformer, TransformerConfig

SIZES = {"vocab_size": 37, "d_model": 24, "d_ff": 40, "n_heads": 3, "d_head": 10, "n_decoder_layers": 2}
DECODERS = {
    "learned": TransformerConfig(**SIZES, position=Learned(32), activation="gelu_tanh"),
    "offset": TransformerConfig(**SIZES, position=Learned(32, offset=2), norm_first=False, embed_norm=True),
    "sinusoidal": TransformerConfig(**SIZES, position=Sinusoidal(), n_segments=2),
    "rotary": TransformerConfig(
        **SIZES, position=Rotary(), n_kv_heads=1, norm="rms", activation="silu", gated=True, bias=False
    ),
    "mixed": TransformerConfig(**SIZES, position=Rotary(), mix_previous=True),
    "alibi": TransformerConfig(**SIZES, position=Alibi(), embed_norm=True, tie_embeddings=False),
    "bucketed": TransformerConfig(
        **SIZES, position=Bucketed(8, 20), norm="rms", bias=False, scale_scores=False, scale_logits=True
    ),
}


def lively(model: Transformer) -> Transformer:
    """Weights large enough that every part of the model matters to the output."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn(weight.shape, generator=generator) * 0.25)
    return model.eval()


@pytest.fixture(params=DECODERS)
def decoder(request) -> Transformer:
    return lively(Transformer(DECODERS[request.param]))


@pytest.fixture
def ids() -> torch.Tensor:
    return torch.randint(0, 37, (2, 11), generator=torch.Generator().manual_seed(4))
