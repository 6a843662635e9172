"""Mutant 58: missing gradients are made up.

loses: clip_gradients_check clip_gradients_test
code: training.grad-none
says: None must stay None
"""

import math

import torch


# cell: clip_gradients
def clip_gradients(parameters, max_norm):
    parameters = list(parameters)
    for parameter in parameters:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norm = math.sqrt(sum(gradient.square().sum().item() for gradient in gradients))
    if norm > max_norm:
        for gradient in gradients:
            gradient.mul_(max_norm / norm)
    return norm
