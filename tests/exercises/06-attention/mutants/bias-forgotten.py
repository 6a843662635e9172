"""The bias plays no part.

loses: attention_weights_check attention_weights_test
code: attention.bias-ignored
says: no effect
"""


# cell: attention_weights
def attention_weights(scores, bias):
    return scores.softmax(dim=-1)
