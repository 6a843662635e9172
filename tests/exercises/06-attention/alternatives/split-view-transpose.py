"""A view with all sizes spelled out, then a transpose."""


# cell: split_heads
def split_heads(vectors, n_heads):
    n_rows, n_tokens, width = vectors.shape
    return vectors.view(n_rows, n_tokens, n_heads, width // n_heads).transpose(1, 2).contiguous()
