"""Mutant, not on the list: no mean at all.

loses: next_token_loss_check next_token_loss_test
code: training.not-a-number
says: a single number
"""

from torch.nn import functional as F

from llmcourse.data import IGNORE


# cell: next_token_loss
def next_token_loss(logits, targets):
    return F.cross_entropy(logits.mT, targets, ignore_index=IGNORE, reduction="none")
