import pytest
import torch
from torch import nn

from llmcourse.hub import Bundle, write_on
from llmcourse.model import Rotary, Transformer, TransformerConfig
from llmcourse.tokenizers import ByteBPE


class Reciting(Transformer):
    """Always goes on with the same ids, whatever it reads."""

    def __init__(self, script: list[int], vocab_size: int) -> None:
        super().__init__(
            TransformerConfig(
                vocab_size=vocab_size, d_model=4, d_ff=4, n_decoder_layers=1, n_heads=1, position=Rotary()
            )
        )
        self.script = iter(script)

    def forward(self, ids, **options):
        super().forward(ids, **options)
        scores = torch.full((*ids.shape, self.config.vocab_size), -1e9)
        scores[..., next(self.script)] = 0.0
        return scores


@pytest.fixture
def tokenizer():
    return ByteBPE.train(["aa aa"], 258, ("<|end|>",))


def test_text_ends_with_its_document_and_never_shows_half_a_character(tokenizer):
    script = [*"tea 😀é".encode(), tokenizer.special_id("<|end|>"), *b"never"]
    pieces = list(write_on(Bundle(Reciting(script, tokenizer.vocab_size), tokenizer, {}), "prompt"))
    assert pieces == [*"tea 😀é"]


def test_text_that_is_cut_off_keeps_its_last_bytes(tokenizer):
    script = list("é".encode() + "é".encode()[:1])
    bundle = Bundle(Reciting(script, tokenizer.vocab_size), tokenizer, {})
    assert list(write_on(bundle, max_new_tokens=3)) == ["é", "\ufffd"]


def test_the_seed_decides_the_text(tokenizer):
    model = Transformer(
        TransformerConfig(vocab_size=258, d_model=4, d_ff=4, n_decoder_layers=1, n_heads=1, position=Rotary())
    )
    nn.init.normal_(model.tokens.weight)
    texts = ["".join(write_on(Bundle(model, tokenizer, {}), "a", 20, seed=seed)) for seed in (0, 0, 1)]
    assert texts[0] == texts[1] != texts[2]
