"""The mask from comparing positions."""

import torch


# cell: causal_mask
def causal_mask(n_queries, n_keys):
    queries = torch.arange(n_keys - n_queries, n_keys)
    return queries[:, None] >= torch.arange(n_keys)[None, :]
