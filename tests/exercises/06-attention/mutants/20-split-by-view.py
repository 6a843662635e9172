"""Mutant 20: a view and no transpose.

loses: split_heads_check split_heads_test
code: attention.split-without-transpose
says: swap the dimensions T and H
"""


# cell: split_heads
def split_heads(vectors, n_heads):
    n_rows, n_tokens, width = vectors.shape
    return vectors.view(n_rows, n_heads, n_tokens, width // n_heads)
