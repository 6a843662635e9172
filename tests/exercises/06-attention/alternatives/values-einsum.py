"""Values by einsum."""

import torch


# cell: read_values
def read_values(weights, value):
    return torch.einsum("bhts,bhsk->bhtk", weights, value)
