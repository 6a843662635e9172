"""The layer with every step spelled out and an nn.Dropout on the weights."""

import torch
from torch import nn


# cell: CausalSelfAttention
class CausalSelfAttention(nn.Module):
    def __init__(self, d_in, d_out, n_heads, dropout=0.0):
        super().__init__()
        self.n_heads = n_heads
        self.query, self.key, self.value = (nn.Linear(d_in, d_out) for _ in range(3))
        self.output = nn.Linear(d_out, d_out)
        self.dropout = nn.Dropout(dropout)

    def forward(self, vectors, is_real=None):
        n_tokens = vectors.shape[1]
        may_read = torch.ones(n_tokens, n_tokens, dtype=torch.bool).tril()
        if is_real is not None:
            may_read = may_read & is_real[:, None, None, :]
        rows = (layer(vectors) for layer in (self.query, self.key, self.value))
        query, key, value = (row.unflatten(-1, (self.n_heads, -1)).transpose(1, 2) for row in rows)
        scores = query @ key.mT / query.shape[-1] ** 0.5
        weights = self.dropout(scores.masked_fill(~may_read, -torch.inf).softmax(-1))
        return self.output((weights @ value).transpose(1, 2).flatten(-2))
