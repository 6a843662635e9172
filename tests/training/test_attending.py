"""Attention with its gradient written out, against PyTorch's own."""

import pytest
import torch
from torch.nn import functional as F
from torch.testing import assert_close

from llmcourse.data import Batch
from llmcourse.model import Transformer, TransformerConfig
from llmcourse.training import attending, fused, fused_next_token_nats
from llmcourse.training.attending import CausalAttention, is_short


def stacked(n_rows: int, n_heads: int, n_tokens: int, d_head: int, dtype: torch.dtype = torch.double) -> torch.Tensor:
    """Queries, keys and values as a product leaves them: a token's numbers side by side."""
    numbers = torch.randn(
        n_rows, n_tokens, 3 * n_heads * d_head, generator=torch.Generator().manual_seed(0), dtype=dtype
    )
    return numbers.unflatten(-1, (3, n_heads, d_head)).permute(2, 0, 3, 1, 4)


def by_pytorch(heads: torch.Tensor) -> torch.Tensor:
    return F.scaled_dot_product_attention(*heads, is_causal=True, scale=1.0)


@pytest.mark.parametrize("block", [1, 3, 8])
@pytest.mark.parametrize("piece", [1, 100, 10_000])
@pytest.mark.parametrize("sizes", [(5, 2, 7, 3), (1, 1, 1, 1), (2, 3, 8, 4)], ids=str)
def test_means_and_gradients_are_pytorchs(sizes, block, piece, monkeypatch):
    monkeypatch.setattr(attending, "BLOCK", block)
    monkeypatch.setattr(attending, "PIECE", piece)
    results = []
    for function in (CausalAttention.apply, by_pytorch):
        heads = stacked(*sizes).requires_grad_()
        means = function(heads)
        (means * torch.linspace(0.5, 2.0, means.numel(), dtype=means.dtype).view(means.shape)).sum().backward()
        results.append((means.detach(), heads.grad))
    assert_close(results[0], results[1], rtol=1e-10, atol=1e-12)


def test_the_gradient_is_the_slope(monkeypatch):
    monkeypatch.setattr(attending, "BLOCK", 2)
    assert torch.autograd.gradcheck(CausalAttention.apply, stacked(2, 2, 5, 3).requires_grad_())


def test_what_is_given_is_left_as_it_was():
    heads = stacked(1, 1, 6, 2).requires_grad_()
    before = heads.detach().clone()
    means = CausalAttention.apply(heads)
    means.sum().backward(retain_graph=True)
    first = heads.grad.clone()
    means.sum().backward()
    assert torch.equal(heads.detach(), before)
    assert torch.equal(heads.grad, 2 * first)


def test_kept_weights_take_about_as_much_room_as_what_they_come_from():
    heads = stacked(2, 3, 32, 8, torch.float32)
    assert is_short(heads)
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda each: kept.append(each) or each, lambda each: each):
        CausalAttention.apply(heads.requires_grad_())
    *weights, inputs = kept
    assert inputs.numel() == heads.numel()
    assert heads.numel() < sum(each.numel() for each in weights) < 1.5 * heads.numel()
    assert not is_short(stacked(2, 3, 33, 8, torch.float32))
    assert not is_short(stacked(2, 3, 32, 8))  # double precision stays with PyTorch


@pytest.mark.parametrize("n_tokens", [16, 17])
def test_a_short_text_is_read_by_it_and_a_long_one_by_pytorch(n_tokens, monkeypatch):
    called = []
    real = CausalAttention.apply
    monkeypatch.setattr(fused.CausalAttention, "apply", lambda heads: called.append(heads.shape) or real(heads))
    config = TransformerConfig(vocab_size=11, d_model=8, n_heads=2, d_ff=16, n_decoder_layers=2)
    ids = torch.zeros(3, n_tokens, dtype=torch.long)
    fused_next_token_nats(Transformer(config), Batch(ids, ids))
    assert called == ([(3, 3, 2, 16, 4)] * 2 if n_tokens == 16 else [])
