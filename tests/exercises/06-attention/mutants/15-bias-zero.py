"""Mutant 15: 0 where reading is forbidden, 1 where it is allowed.

loses: mask_to_bias_check mask_to_bias_test
code: attention.bias-changes-allowed
says: must be 0
"""


# cell: mask_to_bias
def mask_to_bias(may_read):
    return may_read.float()
