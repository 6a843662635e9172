"""Mutant 43: cross-entropy of probabilities.

loses: next_token_loss_check next_token_loss_test
code: training.probabilities
says: one too many
"""

from torch.nn import functional as F

from llmcourse.data import IGNORE


# cell: next_token_loss
def next_token_loss(logits, targets):
    return F.cross_entropy(logits.softmax(-1).flatten(0, 1), targets.flatten(), ignore_index=IGNORE)
