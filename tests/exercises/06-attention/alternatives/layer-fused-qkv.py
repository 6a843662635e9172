"""One fused projection, and PyTorch's fused attention."""

import torch
from torch import nn
from torch.nn import functional as F


# cell: CausalSelfAttention
class CausalSelfAttention(nn.Module):
    def __init__(self, d_in, d_out, n_heads, dropout=0.0):
        super().__init__()
        self.n_heads, self.p = n_heads, dropout
        self.qkv = nn.Linear(d_in, 3 * d_out)
        self.output = nn.Linear(d_out, d_out)

    def forward(self, vectors, is_real=None):
        n_rows, n_tokens, _ = vectors.shape
        parts = self.qkv(vectors).view(n_rows, n_tokens, 3, self.n_heads, -1).permute(2, 0, 3, 1, 4)
        mask = torch.ones(n_tokens, n_tokens, dtype=torch.bool).tril()
        if is_real is not None:
            mask = mask & is_real.view(n_rows, 1, 1, n_tokens)
        p = self.p if self.training else 0.0
        heads = F.scaled_dot_product_attention(*parts, attn_mask=mask, dropout_p=p)
        return self.output(heads.transpose(1, 2).reshape(n_rows, n_tokens, -1))
