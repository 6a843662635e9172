"""Mutant 13: the softmax runs over the heads.

loses: attention_weights_check attention_weights_test
code: attention.softmax-axis
says: over the keys
"""


# cell: attention_weights
def attention_weights(scores, bias):
    return (scores + bias).softmax(dim=1)
