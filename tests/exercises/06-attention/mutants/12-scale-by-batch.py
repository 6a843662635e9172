"""Mutant 12, a neighbour: the scale is read off the wrong dimension.

loses: attention_scores_check attention_scores_test
code: attention.values
says: wrong numbers
"""


# cell: attention_scores
def attention_scores(query, key):
    return query @ key.mT / query.shape[0] ** 0.5
