"""Mutant, not on the list: the shorter gradient is thrown away.

loses: clip_gradients_check clip_gradients_test
code: training.not-clipped
says: in place
"""

import math


# cell: clip_gradients
def clip_gradients(parameters, max_norm):
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norm = math.sqrt(sum(gradient.square().sum().item() for gradient in gradients))
    if norm > max_norm:
        for gradient in gradients:
            gradient = gradient * max_norm / norm
    return norm
