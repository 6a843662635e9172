"""Works in place on the caller's query.

loses: attention_scores_check attention_scores_test
code: attention.changes-input
says: work on a copy
"""


# cell: attention_scores
def attention_scores(query, key):
    query /= query.shape[-1] ** 0.5
    return query @ key.mT
