"""The loss as a module, over real positions only."""

from torch import nn

from llmcourse.data import IGNORE


# cell: next_token_loss
def next_token_loss(logits, targets):
    real = targets != IGNORE
    return nn.CrossEntropyLoss()(logits[real], targets[real])
