"""The bias is read as a mask: penalties that are not -inf are lost.

loses: attention_weights_check attention_weights_test
code: attention.penalties-lost
says: more than a mask
"""

import torch


# cell: attention_weights
def attention_weights(scores, bias):
    return scores.masked_fill(bias < -1e4, -torch.inf).softmax(dim=-1)
