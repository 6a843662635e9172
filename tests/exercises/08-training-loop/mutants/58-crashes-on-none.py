"""Mutant 58: a parameter without a gradient stops it.

loses: clip_gradients_check clip_gradients_test
code: training.grad-none
says: `grad` is None
"""

import math


# cell: clip_gradients
def clip_gradients(parameters, max_norm):
    gradients = [parameter.grad for parameter in parameters]
    norm = math.sqrt(sum(gradient.square().sum().item() for gradient in gradients))
    if norm > max_norm:
        for gradient in gradients:
            gradient.mul_(max_norm / norm)
    return norm
