"""Mutant, not on the list: the graph is cut.

loses: next_token_loss_check next_token_loss_test
code: training.no-gradient
says: must return a tensor with its gradient
"""

from torch.nn import functional as F

from llmcourse.data import IGNORE


# cell: next_token_loss
def next_token_loss(logits, targets):
    return F.cross_entropy(logits.detach().flatten(0, 1), targets.flatten(), ignore_index=IGNORE)
