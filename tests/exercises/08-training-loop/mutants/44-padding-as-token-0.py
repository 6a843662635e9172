"""Mutant 44: padding is scored as token 0.

loses: next_token_loss_check next_token_loss_test
code: training.padding-counted
says: scored as token 0
"""

from torch.nn import functional as F


# cell: next_token_loss
def next_token_loss(logits, targets):
    return F.cross_entropy(logits.flatten(0, 1), targets.clamp(min=0).flatten())
