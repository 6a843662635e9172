"""Mutant, not on the list: the first documents are held out.

loses: split_documents_check split_documents_test
code: training.split-validation
says: should hold the last
"""


# cell: split_documents
def split_documents(documents, n_validation):
    validation = documents[:n_validation]
    return [ids for ids in documents[n_validation:] if ids not in validation], validation
