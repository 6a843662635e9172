"""The softmax written out, with the largest score taken off first."""


# cell: attention_weights
def attention_weights(scores, bias):
    shifted = scores + bias
    shares = (shifted - shifted.max(dim=-1, keepdim=True).values).exp()
    return shares / shares.sum(dim=-1, keepdim=True)
