"""A boolean mask inside: forbidden scores are filled, the other bias is added."""


# cell: attention_weights
def attention_weights(scores, bias):
    allowed = bias > -1e4
    scores = scores + bias.masked_fill(~allowed, 0)
    return scores.masked_fill(~allowed, -1e9).softmax(-1)
