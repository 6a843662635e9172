"""Mutant 11: the scores are not scaled.

loses: attention_scores_check attention_scores_test
code: attention.no-scale
says: square root of the head width
"""


# cell: attention_scores
def attention_scores(query, key):
    return query @ key.mT
