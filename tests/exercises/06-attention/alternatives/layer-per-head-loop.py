"""One head after the other, each cut from the projections with a slice."""

import torch
from torch import nn


# cell: CausalSelfAttention
class CausalSelfAttention(nn.Module):
    def __init__(self, d_in, d_out, n_heads, dropout=0.0):
        super().__init__()
        self.width = d_out // n_heads
        self.query, self.key, self.value = (nn.Linear(d_in, d_out) for _ in range(3))
        self.output, self.dropout = nn.Linear(d_out, d_out), nn.Dropout(dropout)

    def forward(self, vectors, is_real=None):
        n_tokens, results = vectors.shape[1], []
        allowed = torch.ones(n_tokens, n_tokens).tril() > 0
        if is_real is not None:
            allowed = allowed * is_real[:, None, :]
        q, k, v = self.query(vectors), self.key(vectors), self.value(vectors)
        for part in (slice(i, i + self.width) for i in range(0, q.shape[-1], self.width)):
            scores = torch.einsum("btk,bsk->bts", q[..., part], k[..., part]) * self.width**-0.5
            results.append(self.dropout(torch.where(allowed, scores, -1e9).softmax(-1)) @ v[..., part])
        return self.output(torch.cat(results, dim=-1))
