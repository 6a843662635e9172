"""Mutant 44: the sum is divided by all positions.

loses: next_token_loss_check next_token_loss_test
code: training.padding-counted
says: all B * T positions
"""

from torch.nn import functional as F

from llmcourse.data import IGNORE


# cell: next_token_loss
def next_token_loss(logits, targets):
    nats = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORE, reduction="none")
    return nats.mean()
