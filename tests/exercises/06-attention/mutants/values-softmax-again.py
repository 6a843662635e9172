"""A second softmax over weights that already sum to 1.

loses: read_values_check read_values_test
code: attention.weights-again
says: second softmax
"""


# cell: read_values
def read_values(weights, value):
    return weights.softmax(-1) @ value
