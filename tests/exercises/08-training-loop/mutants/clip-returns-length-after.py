"""Mutant, not on the list: the length after clipping.

loses: clip_gradients_check clip_gradients_test
code: training.norm-after
says: return the one before
"""

import math


# cell: clip_gradients
def clip_gradients(parameters, max_norm):
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norm = math.sqrt(sum(gradient.square().sum().item() for gradient in gradients))
    if norm > max_norm:
        for gradient in gradients:
            gradient.mul_(max_norm / norm)
    return min(norm, max_norm)
