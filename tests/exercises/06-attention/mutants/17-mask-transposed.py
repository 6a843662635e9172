"""Mutant 17, a neighbour: tokens read themselves and their future.

loses: causal_mask_check causal_mask_test
code: attention.mask-transposed
says: rows are queries
"""

import torch


# cell: causal_mask
def causal_mask(n_queries, n_keys):
    return torch.ones(n_queries, n_keys, dtype=torch.bool).triu(n_keys - n_queries)
