"""Mutant 45: each row weighs the same.

loses: next_token_loss_check next_token_loss_test
code: training.row-means
says: every real token of the batch
"""

from torch.nn import functional as F

from llmcourse.data import IGNORE


# cell: next_token_loss
def next_token_loss(logits, targets):
    nats = F.cross_entropy(logits.mT, targets, ignore_index=IGNORE, reduction="none")
    return (nats.sum(1) / (targets != IGNORE).sum(1)).mean()
