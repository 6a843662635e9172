"""Mutant 12, a neighbour: multiplied by the root.

loses: attention_scores_check attention_scores_test
code: attention.scale-inverted
says: multiply
"""


# cell: attention_scores
def attention_scores(query, key):
    return query @ key.mT * query.shape[-1] ** 0.5
