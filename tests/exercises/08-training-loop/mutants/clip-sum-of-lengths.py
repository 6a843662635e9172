"""Mutant, not on the list: lengths are added up.

loses: clip_gradients_check clip_gradients_test
code: training.norm
says: the sum of their lengths
"""


# cell: clip_gradients
def clip_gradients(parameters, max_norm):
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norm = sum(gradient.norm().item() for gradient in gradients)
    if norm > max_norm:
        for gradient in gradients:
            gradient.mul_(max_norm / norm)
    return norm
