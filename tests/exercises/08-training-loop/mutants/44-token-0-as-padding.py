"""Mutant 44: token 0 is taken for padding.

loses: next_token_loss_check next_token_loss_test
code: training.token-0-ignored
says: a token like any other
"""

from torch.nn import functional as F


# cell: next_token_loss
def next_token_loss(logits, targets):
    return F.cross_entropy(logits.flatten(0, 1), targets.clamp(min=0).flatten(), ignore_index=0)
