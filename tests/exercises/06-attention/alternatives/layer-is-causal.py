"""PyTorch's fused attention with is_causal where there is no padding."""

import torch
from torch import nn
from torch.nn import functional as F


# cell: CausalSelfAttention
class CausalSelfAttention(nn.Module):
    def __init__(self, d_in, d_out, n_heads, dropout=0.0):
        super().__init__()
        self.n_heads, self.p = n_heads, dropout
        self.query = nn.Linear(d_in, d_out)
        self.key = nn.Linear(d_in, d_out)
        self.value = nn.Linear(d_in, d_out)
        self.output = nn.Linear(d_out, d_out)

    def forward(self, vectors, is_real=None):
        n = vectors.shape[1]
        q, k, v = (
            torch.stack(layer(vectors).chunk(self.n_heads, -1), 1) for layer in (self.query, self.key, self.value)
        )
        p = self.p * self.training
        if is_real is None:
            heads = F.scaled_dot_product_attention(q, k, v, is_causal=True, dropout_p=p)
        else:
            mask = is_real[:, None, None, :].logical_and(torch.ones(n, n).tril().bool())
            heads = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=p)
        return self.output(torch.cat(heads.unbind(1), -1))
