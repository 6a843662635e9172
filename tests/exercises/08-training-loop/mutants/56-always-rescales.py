"""Mutant 56: short gradients are made longer.

loses: clip_gradients_check clip_gradients_test
code: training.always-rescales
says: scaled up to it
"""

import math


# cell: clip_gradients
def clip_gradients(parameters, max_norm):
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norm = math.sqrt(sum(gradient.square().sum().item() for gradient in gradients))
    for gradient in gradients:
        gradient.mul_(max_norm / norm)
    return norm
