"""Mutant 15: forbidden scores become 0, and exp(0) is 1.

loses: attention_weights_check attention_weights_test
code: attention.mask-zero
says: exp(0) = 1
"""


# cell: attention_weights
def attention_weights(scores, bias):
    return scores.masked_fill(bias < -1e4, 0).softmax(dim=-1)
