"""Mutant 12: divided by the head width, without the root.

loses: attention_scores_check attention_scores_test
code: attention.scale-by-width
says: you divide by K itself
"""


# cell: attention_scores
def attention_scores(query, key):
    return query @ key.mT / query.shape[-1]
