"""Mutant, not on the list: a softmax by hand, without care for large logits.

loses: next_token_loss_check next_token_loss_test
code: training.overflow
says: With a logit of 300
"""

from llmcourse.data import IGNORE


# cell: next_token_loss
def next_token_loss(logits, targets):
    real = targets != IGNORE
    probabilities = logits.exp() / logits.exp().sum(-1, keepdim=True)
    return -probabilities.gather(-1, targets.clamp(min=0)[..., None])[..., 0][real].log().mean()
