"""Mutant 14: forbidden weights are set to 0 after the softmax, with the bias added before for the others.

loses: attention_weights_check attention_weights_test
code: attention.mask-after-softmax
says: before the softmax
"""


# cell: attention_weights
def attention_weights(scores, bias):
    allowed = bias > -1e4
    penalty = bias.masked_fill(~allowed, 0)
    return (scores + penalty).softmax(dim=-1) * allowed
