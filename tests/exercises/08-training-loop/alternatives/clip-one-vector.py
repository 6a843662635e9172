"""All in one vector, and new gradients."""

import torch


# cell: clip_gradients
def clip_gradients(parameters, max_norm):
    parameters = [p for p in parameters if p.grad is not None]
    norm = torch.cat([p.grad.flatten() for p in parameters]).norm().item()
    scale = max_norm / (norm + 1e-6) if norm > max_norm else 1.0
    for parameter in parameters:
        parameter.grad = parameter.grad * scale
    return norm
