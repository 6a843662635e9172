"""Forbidden weights are zeroed after the softmax, and the rest made to sum to 1 again."""


# cell: attention_weights
def attention_weights(scores, bias):
    allowed = bias > -1e4
    weights = (scores + bias.masked_fill(~allowed, 0)).softmax(-1) * allowed
    return weights / weights.sum(-1, keepdim=True)
