"""The plain mean of the values.

loses: read_values_check read_values_test
code: attention.values-unweighted
says: The weights play no part
"""


# cell: read_values
def read_values(weights, value):
    return value.mean(-2, keepdim=True).expand(-1, -1, weights.shape[-2], -1)
