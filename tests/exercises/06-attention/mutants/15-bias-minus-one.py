"""Mutant 15, a neighbour: forbidden scores fall by 1.

loses: mask_to_bias_check mask_to_bias_test
code: attention.bias-not-low
says: still a weight that counts
"""


# cell: mask_to_bias
def mask_to_bias(may_read):
    return may_read.float() - 1
