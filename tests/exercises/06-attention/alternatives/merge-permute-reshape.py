"""Permute, then reshape."""


# cell: merge_heads
def merge_heads(heads):
    return heads.permute(0, 2, 1, 3).reshape(heads.shape[0], heads.shape[2], -1)
