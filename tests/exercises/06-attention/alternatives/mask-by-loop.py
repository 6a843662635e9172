"""The mask by two loops."""

import torch


# cell: causal_mask
def causal_mask(n_queries, n_keys):
    late = n_keys - n_queries
    return torch.tensor([[s <= t + late for s in range(n_keys)] for t in range(n_queries)])
