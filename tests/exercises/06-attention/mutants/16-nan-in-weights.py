"""Mutant 16: 0 * -inf again, by way of a mask.

loses: attention_weights_check attention_weights_test
code: attention.nan
says: NaN
"""

import torch


# cell: attention_weights
def attention_weights(scores, bias):
    forbidden = (bias < -1e4).float()
    return (scores + forbidden * -torch.inf).softmax(dim=-1)
