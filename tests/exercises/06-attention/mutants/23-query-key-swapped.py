"""Mutant 23: rows are keys, columns are queries.

loses: attention_scores_check attention_scores_test
code: attention.query-key-swapped
says: Rows should be queries
"""


# cell: attention_scores
def attention_scores(query, key):
    return key @ query.mT / query.shape[-1] ** 0.5
