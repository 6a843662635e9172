"""Mutant 51: the two parts share one document.

loses: split_documents_check split_documents_test
code: training.validation-in-training
says: trained on as well
"""


# cell: split_documents
def split_documents(documents, n_validation):
    validation = documents[-n_validation:]
    train = documents[: len(documents) - n_validation + 1]
    return [ids for ids in train if ids not in validation[1:]], validation
