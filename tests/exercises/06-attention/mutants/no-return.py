"""Forgets to return.

loses: attention_scores_check attention_scores_test
code: attention.not-a-tensor
says: Is there a `return`
"""


# cell: attention_scores
def attention_scores(query, key):
    query @ key.mT / query.shape[-1] ** 0.5
