"""Mutant 51: copies of validation documents are trained on.

loses: split_documents_check split_documents_test
code: training.validation-copies
says: has a copy among the validation documents
"""


# cell: split_documents
def split_documents(documents, n_validation):
    return documents[:-n_validation], documents[-n_validation:]
