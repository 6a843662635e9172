"""Chunks, stacked."""

import torch


# cell: split_heads
def split_heads(vectors, n_heads):
    return torch.stack(vectors.chunk(n_heads, dim=-1), dim=1)
