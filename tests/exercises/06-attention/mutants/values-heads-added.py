"""The heads are added up.

loses: read_values_check read_values_test
code: attention.heads-mixed
says: heads are added up
"""

import torch


# cell: read_values
def read_values(weights, value):
    return torch.einsum("bhts,bgsk->bhtk", weights, value)
