"""By way of the log softmax."""

import torch


# cell: attention_weights
def attention_weights(scores, bias):
    return torch.log_softmax(scores + bias, dim=-1).exp()
