"""Mutant 55: each gradient is clipped by itself.

loses: clip_gradients_check clip_gradients_test
code: training.clip-per-tensor
says: turns the direction
"""

import math


# cell: clip_gradients
def clip_gradients(parameters, max_norm):
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norm = math.sqrt(sum(gradient.square().sum().item() for gradient in gradients))
    for gradient in gradients:
        gradient.mul_(min(1.0, max_norm / gradient.norm().item()))
    return norm
