"""Transposed logits."""

from torch.nn import functional as F

from llmcourse.data import IGNORE


# cell: next_token_loss
def next_token_loss(logits, targets):
    return F.cross_entropy(logits.transpose(1, 2), targets, ignore_index=IGNORE)
