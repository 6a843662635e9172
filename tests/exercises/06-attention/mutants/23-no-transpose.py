"""Mutant 23, a neighbour: the key is not transposed, so the shapes do not fit.

loses: attention_scores_check attention_scores_test
code: attention.raises
says: RuntimeError
"""


# cell: attention_scores
def attention_scores(query, key):
    return query @ key / query.shape[-1] ** 0.5
