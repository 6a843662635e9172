"""Mutant, not on the list: the iterator is used up.

loses: clip_gradients_check clip_gradients_test
code: training.walked-twice
says: twice
"""

import math


# cell: clip_gradients
def clip_gradients(parameters, max_norm):
    norm = math.sqrt(sum(p.grad.square().sum().item() for p in parameters if p.grad is not None))
    if norm > max_norm:
        for parameter in parameters:
            if parameter.grad is not None:
                parameter.grad.mul_(max_norm / norm)
    return norm
