"""A large finite negative in place of minus infinity."""

import torch


# cell: mask_to_bias
def mask_to_bias(may_read):
    return torch.zeros(may_read.shape).masked_fill(~may_read, -1e9)
