"""Mutant 17: the bias is subtracted, so that forbidden scores rise.

loses: attention_weights_check attention_weights_test
code: attention.bias-inverted
says: You forbid what is allowed
"""


# cell: attention_weights
def attention_weights(scores, bias):
    return (scores - bias.clamp(min=-1e9)).softmax(dim=-1)
