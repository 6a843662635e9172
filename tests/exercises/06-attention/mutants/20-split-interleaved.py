"""Mutant 20, a neighbour: every H-th number goes to head h.

loses: split_heads_check split_heads_test
code: attention.split-interleaved
says: one slice of K numbers
"""


# cell: split_heads
def split_heads(vectors, n_heads):
    return vectors.unflatten(-1, (-1, n_heads)).permute(0, 3, 1, 2)
