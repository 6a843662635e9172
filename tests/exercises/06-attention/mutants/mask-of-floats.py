"""A mask of 0.0 and 1.0 in place of False and True.

loses: causal_mask_check causal_mask_test
code: attention.mask-not-bool
says: True and False
"""

import torch


# cell: causal_mask
def causal_mask(n_queries, n_keys):
    return torch.ones(n_queries, n_keys).tril(n_keys - n_queries)
