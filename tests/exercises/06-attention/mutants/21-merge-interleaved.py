"""Mutant 21, a neighbour: interleaved number by number.

loses: merge_heads_check merge_heads_test
code: attention.merge-interleaved
says: end to end
"""


# cell: merge_heads
def merge_heads(heads):
    return heads.permute(0, 2, 3, 1).flatten(-2)
