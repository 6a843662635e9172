"""Mutant 44: padding is used as an index.

loses: next_token_loss_check next_token_loss_test
code: training.padding-raises
says: stops on padding
"""


# cell: next_token_loss
def next_token_loss(logits, targets):
    return -logits.log_softmax(-1).gather(-1, targets[..., None]).mean()
