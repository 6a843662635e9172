"""Mutant, not on the list: part of the graph is cut.

loses: next_token_loss_check next_token_loss_test
code: training.gradient
says: its gradient is not
"""

from llmcourse.data import IGNORE


# cell: next_token_loss
def next_token_loss(logits, targets):
    real = targets != IGNORE
    nats = logits.detach().logsumexp(-1) - logits.gather(-1, targets.clamp(min=0)[..., None])[..., 0]
    return nats[real].mean()
