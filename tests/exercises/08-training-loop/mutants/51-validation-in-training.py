"""Mutant 51: training gets all documents.

loses: split_documents_check split_documents_test
code: training.validation-in-training
says: trained on as well
"""


# cell: split_documents
def split_documents(documents, n_validation):
    return documents, documents[-n_validation:]
