"""Mutant 17: forbids what is allowed.

loses: mask_to_bias_check mask_to_bias_test
code: attention.bias-inverted
says: True in `may_read`
"""

import torch


# cell: mask_to_bias
def mask_to_bias(may_read):
    return torch.zeros(may_read.shape).masked_fill(may_read, -torch.inf)
