"""Copies found with a set of tuples."""


# cell: split_documents
def split_documents(documents, n_validation):
    held_out = {tuple(ids) for ids in documents[-n_validation:]}
    cut = len(documents) - n_validation
    train = [documents[i] for i in range(cut) if tuple(documents[i]) not in held_out]
    return train, documents[cut:]
