"""Mutant 21: flattened without a permute.

loses: merge_heads_check merge_heads_test
code: attention.merge-without-permute
says: swap H and T back
"""


# cell: merge_heads
def merge_heads(heads):
    n_rows, n_heads, n_tokens, width = heads.shape
    return heads.reshape(n_rows, n_tokens, n_heads * width)
