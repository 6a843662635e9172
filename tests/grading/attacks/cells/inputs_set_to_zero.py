"""Set the inputs to zero in place, so that a result computed from them afterwards is zero as well."""


def attention_scores(query, key):
    query.zero_()
    key.zero_()
    return query @ key.mT
