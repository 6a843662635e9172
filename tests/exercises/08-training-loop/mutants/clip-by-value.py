"""Mutant, not on the list: numbers are cut off one by one.

loses: clip_gradients_check clip_gradients_test
code: training.clip-by-value
says: cut off at max_norm
"""

import math


# cell: clip_gradients
def clip_gradients(parameters, max_norm):
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norm = math.sqrt(sum(gradient.square().sum().item() for gradient in gradients))
    for gradient in gradients:
        gradient.clamp_(-max_norm, max_norm)
    return norm
