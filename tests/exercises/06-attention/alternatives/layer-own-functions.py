"""The layer calls the student's own functions from the earlier tasks."""

from torch import nn


# cell: CausalSelfAttention
class CausalSelfAttention(nn.Module):
    def __init__(self, d_in, d_out, n_heads, dropout=0.0):
        super().__init__()
        self.n_heads = n_heads
        self.query, self.key, self.value = (nn.Linear(d_in, d_out) for _ in range(3))
        self.output, self.dropout = nn.Linear(d_out, d_out), nn.Dropout(dropout)

    def forward(self, vectors, is_real=None):
        query, key, value = (split_heads(f(vectors), self.n_heads) for f in (self.query, self.key, self.value))
        may_read = causal_mask(vectors.shape[1], vectors.shape[1])
        if is_real is not None:
            may_read = may_read & is_real[:, None, None]
        weights = attention_weights(attention_scores(query, key), mask_to_bias(may_read))
        return self.output(merge_heads(read_values(self.dropout(weights), value)))
