"""One head at a time."""

import torch


# cell: attention_scores
def attention_scores(query, key):
    heads = [query[:, h] @ key[:, h].mT for h in range(query.shape[1])]
    return torch.stack(heads, dim=1) / query.shape[-1] ** 0.5
