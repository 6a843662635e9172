"""Mutant 18: no token reads itself.

loses: causal_mask_check causal_mask_test
code: attention.mask-diagonal
says: off by one
"""

import torch


# cell: causal_mask
def causal_mask(n_queries, n_keys):
    return torch.ones(n_queries, n_keys, dtype=torch.bool).tril(n_keys - n_queries - 1)
