"""The query is scaled in place of the scores."""


# cell: attention_scores
def attention_scores(query, key):
    return (query * query.shape[-1] ** -0.5) @ key.transpose(-2, -1)
