"""Mutant 18, a neighbour: the queries are taken for the first tokens.

loses: causal_mask_check causal_mask_test
code: attention.mask-offset
says: Shift the diagonal
"""

import torch


# cell: causal_mask
def causal_mask(n_queries, n_keys):
    return torch.ones(n_queries, n_keys, dtype=torch.bool).tril()
