"""Mutant, not on the list: the root is left out.

loses: clip_gradients_check clip_gradients_test
code: training.norm
says: without its root
"""


# cell: clip_gradients
def clip_gradients(parameters, max_norm):
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norm = sum(gradient.square().sum().item() for gradient in gradients)
    if norm > max_norm:
        for gradient in gradients:
            gradient.mul_(max_norm / norm)
    return norm
