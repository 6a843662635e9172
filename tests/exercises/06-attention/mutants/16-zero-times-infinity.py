"""Mutant 16: 0 * -inf is NaN.

loses: mask_to_bias_check mask_to_bias_test
code: attention.bias-nan
says: 0 * -inf
"""

import torch


# cell: mask_to_bias
def mask_to_bias(may_read):
    return (~may_read).float() * -torch.inf
