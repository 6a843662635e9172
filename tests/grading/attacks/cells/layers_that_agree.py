"""A layer whose own parts all say zero, so that the formula, which is worked out from those parts, says zero too.

Task: CausalSelfAttention
"""

import torch
from torch import nn


class Zero(nn.Linear):
    def forward(self, vectors):
        return torch.zeros(*vectors.shape[:-1], self.out_features)


class CausalSelfAttention(nn.Module):
    def __init__(self, d_in, d_out, n_heads, dropout=0.0):
        super().__init__()
        self.query, self.key, self.value = (Zero(d_in, d_out) for _ in range(3))
        self.output = Zero(d_out, d_out)

    def forward(self, vectors, is_real=None):
        return self.output(self.value(vectors))
