"""Mutant, not on the list: the sum in place of the mean.

loses: next_token_loss_check next_token_loss_test
code: training.sum
says: not their mean
"""

from torch.nn import functional as F

from llmcourse.data import IGNORE


# cell: next_token_loss
def next_token_loss(logits, targets):
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORE, reduction="sum")
