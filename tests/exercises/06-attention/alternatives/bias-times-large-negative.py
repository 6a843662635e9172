"""The inverted mask times a large negative number: nothing is infinite, so nothing is NaN."""


# cell: mask_to_bias
def mask_to_bias(may_read):
    return (~may_read).float() * -1e9
