"""The lowest float in place of minus infinity."""

import torch


# cell: mask_to_bias
def mask_to_bias(may_read):
    return torch.where(may_read, 0.0, torch.finfo(torch.float32).min)
