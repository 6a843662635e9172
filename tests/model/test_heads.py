"""What is read off the vectors: each head against its definition, and never off a padding position."""

import dataclasses

import pytest
import torch
from torch.testing import assert_close

from llmcourse.model import Transformer, TransformerConfig, count_parameters

from .conftest import DECODERS, SIZES, lively

LABELS = 5
TEXT_HEADS = [
    {"head": head, "n_labels": LABELS * (head == "classify"), "pool": pool, "pooler": pooler}
    for head in ("classify", "embed")
    for pool in ("first", "last", "mean")
    for pooler in (True, False)
]


def _with(head: dict, layers: str = "n_encoder_layers") -> Transformer:
    base = dataclasses.replace(DECODERS["learned"], **{"n_decoder_layers": 0, layers: 2, **head})
    return lively(Transformer(base))


@torch.no_grad()
@pytest.mark.parametrize("layers", ["n_encoder_layers", "n_decoder_layers"])
@pytest.mark.parametrize("head", TEXT_HEADS, ids=str)
def test_a_text_head_reads_one_vector_of_the_text(head, layers, ids):
    model = _with(head, layers)
    bare = Transformer(dataclasses.replace(model.config, head="none", n_labels=0)).eval()
    bare.load_state_dict(model.state_dict(), strict=False)
    vectors = bare(ids)
    text = {"first": vectors[:, 0], "last": vectors[:, -1], "mean": vectors.mean(dim=1)}[head["pool"]]
    if head["pooler"]:
        text = torch.tanh(text @ model.head.pooler.weight.T + model.head.pooler.bias)
    if head["n_labels"]:
        text = text @ model.head.labels.weight.T
        if head["pooler"]:
            text = text + model.head.labels.bias
    assert_close(model(ids), text, rtol=1e-4, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("head", TEXT_HEADS, ids=str)
def test_a_text_head_never_reads_padding(head, side, ids):
    model = _with(head)
    padding = torch.full((2, 3), 7)
    padded = torch.cat((padding, ids) if side == "left" else (ids, padding), dim=1)
    is_real = torch.ones_like(padded, dtype=torch.bool)
    is_real[:, :3] = side == "right"
    is_real[:, -3:] = side == "left"
    assert_close(model(padded, is_real=is_real), model(ids), rtol=1e-4, atol=2e-5)


@torch.no_grad()
def test_a_token_classifier_scores_every_token(ids):
    model = _with({"head": "classify_tokens", "n_labels": LABELS})
    assert model(ids).shape == (2, 11, LABELS)
    changed = ids.clone()
    changed[:, 4] = (changed[:, 4] + 1) % 37
    assert (model(ids) - model(changed)).abs().amax(dim=-1).min() > 1e-4


@torch.no_grad()
def test_the_masked_head_is_one_more_layer_and_a_bias_per_token(ids):
    model = _with({"head": "mlm"})
    vectors = model.encode(ids)
    hidden = torch.nn.functional.gelu(model.head.dense(vectors), approximate="tanh")
    expected = model.head.norm(hidden) @ model.tokens.weight.T + model.logits_bias
    assert_close(model(ids), expected, rtol=1e-4, atol=1e-5)
    assert count_parameters(model.config) == sum(weight.numel() for weight in model.parameters())


@torch.no_grad()
def test_a_fixed_bias_is_added_to_the_logits_and_never_trained(ids):
    model = _with({"head": "lm", "logits_bias": True}, "n_decoder_layers")
    plain = model(ids)
    bias = torch.randn(1, 37)
    model.logits_bias.copy_(bias)
    assert_close(model(ids), plain + bias)
    assert "logits_bias" in model.state_dict()
    assert "logits_bias" not in dict(model.named_parameters())


@pytest.mark.parametrize("head", ["classify", "classify_tokens"])
def test_a_classifier_without_labels_is_refused(head):
    with pytest.raises(ValueError, match=f"Heads that classify need labels, others have none: '{head}', 0"):
        TransformerConfig(**SIZES, head=head)


def test_labels_without_a_classifier_are_refused():
    with pytest.raises(ValueError, match="others have none: 'lm', 3"):
        TransformerConfig(**SIZES, n_labels=3)
