"""Mutant 21, a neighbour: the heads are added up.

loses: merge_heads_check merge_heads_test
code: attention.merge-summed
says: go end to end
"""


# cell: merge_heads
def merge_heads(heads):
    return heads.sum(dim=1)
