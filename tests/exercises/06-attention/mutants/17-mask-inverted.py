"""Mutant 17: True where reading is forbidden.

loses: causal_mask_check causal_mask_test
code: attention.mask-inverted
says: upside down
"""

import torch


# cell: causal_mask
def causal_mask(n_queries, n_keys):
    return torch.ones(n_queries, n_keys, dtype=torch.bool).triu(n_keys - n_queries + 1)
