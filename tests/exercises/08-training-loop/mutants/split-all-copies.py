"""Mutant, not on the list: every copy is dropped, not only those of validation documents.

loses: split_documents_check split_documents_test
code: training.split-training
says: Only copies of validation documents
"""


# cell: split_documents
def split_documents(documents, n_validation):
    validation = documents[-n_validation:]
    train = []
    for ids in documents[:-n_validation]:
        if ids not in validation and ids not in train:
            train.append(ids)
    return train, validation
