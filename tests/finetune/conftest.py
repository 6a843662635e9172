import pytest
import torch

from llmcourse.model import Bucketed, Learned, Rotary, Transformer, TransformerConfig
from llmcourse.tokenizers import ByteBPE
from llmcourse.world import World

SPECIALS = ("<|end|>", "<|user|>", "<|assistant|>")


@pytest.fixture(scope="session")
def world():
    return World(3)


@pytest.fixture(scope="session")
def tokenizer(world):
    return ByteBPE.train([document.text for document in world.documents(30)], 300, SPECIALS)


def make_backbone(vocab_size, *, position=None, encoder=False, dropout=0.0, seed=0):
    """A tiny random model whose weights are large enough that every token matters."""
    config = TransformerConfig(
        vocab_size=vocab_size,
        d_model=12,
        d_ff=20,
        n_heads=3,
        n_encoder_layers=2 if encoder else 0,
        n_decoder_layers=0 if encoder else 2,
        position=position or Rotary(),
        dropout=dropout,
    )
    generator = torch.Generator().manual_seed(seed)
    model = Transformer(config, generator=generator)
    for weight in model.parameters():
        if weight.dim() > 1:
            torch.nn.init.normal_(weight, std=0.5, generator=generator)
    return model


@pytest.fixture(params=["rotary decoder", "learned decoder", "encoder"])
def backbone(request, tokenizer):
    position = {"rotary decoder": Rotary(), "learned decoder": Learned(400), "encoder": Bucketed()}[request.param]
    return make_backbone(tokenizer.vocab_size, position=position, encoder=request.param == "encoder")
