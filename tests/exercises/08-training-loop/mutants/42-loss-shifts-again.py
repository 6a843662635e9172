"""Mutant 42: the loss shifts what is shifted already.

loses: next_token_loss_check next_token_loss_test
code: training.shifted-twice
says: once more
"""

from torch.nn import functional as F

from llmcourse.data import IGNORE


# cell: next_token_loss
def next_token_loss(logits, targets):
    return F.cross_entropy(logits[:, :-1].flatten(0, 1), targets[:, 1:].flatten(), ignore_index=IGNORE)
