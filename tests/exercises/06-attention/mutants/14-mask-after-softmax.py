"""Mutant 14: the mask multiplies the weights, after the softmax.

loses: attention_weights_check attention_weights_test
code: attention.mask-after-softmax
says: before the softmax
"""


# cell: attention_weights
def attention_weights(scores, bias):
    return scores.softmax(dim=-1) * bias.exp()
