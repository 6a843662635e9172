"""Mutant 12: divided by the root of the model width, all heads together.

loses: attention_scores_check attention_scores_test
code: attention.scale-by-model-width
says: each head sees only its own K numbers
"""


# cell: attention_scores
def attention_scores(query, key):
    d_model = query.shape[1] * query.shape[-1]
    return query @ key.mT / d_model**0.5
