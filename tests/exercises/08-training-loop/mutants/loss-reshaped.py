"""Mutant, not on the list: reshaped where it should be transposed.

loses: next_token_loss_check next_token_loss_test
code: training.reshaped
says: reshaped where
"""

from torch.nn import functional as F

from llmcourse.data import IGNORE


# cell: next_token_loss
def next_token_loss(logits, targets):
    b, t, v = logits.shape
    return F.cross_entropy(logits.reshape(b, v, t), targets, ignore_index=IGNORE)
