"""Mutant 20, a neighbour: cut rightly, heads behind time.

loses: split_heads_check split_heads_test
code: attention.split-order
says: B T H K
"""


# cell: split_heads
def split_heads(vectors, n_heads):
    return vectors.unflatten(-1, (n_heads, -1))
