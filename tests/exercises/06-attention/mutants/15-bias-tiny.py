"""Mutant 15: a sign slips in the exponent, and -1e-9 forbids nothing.

loses: mask_to_bias_check mask_to_bias_test
code: attention.bias-not-low
says: still a weight that counts
"""

import torch


# cell: mask_to_bias
def mask_to_bias(may_read):
    return torch.zeros(may_read.shape).masked_fill(~may_read, -1e-9)
