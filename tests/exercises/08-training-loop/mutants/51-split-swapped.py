"""Mutant 51: validation comes first.

loses: split_documents_check split_documents_test
code: training.split-swapped
says: wrong way round
"""


# cell: split_documents
def split_documents(documents, n_validation):
    train, validation = documents[:-n_validation], documents[-n_validation:]
    return validation, [ids for ids in train if ids not in validation]
