"""One dot product at a time."""

import torch


# cell: attention_scores
def attention_scores(query, key):
    scores = torch.empty(*query.shape[:3], key.shape[2])
    for t in range(query.shape[2]):
        for s in range(key.shape[2]):
            scores[:, :, t, s] = (query[:, :, t] * key[:, :, s]).sum(-1)
    return scores.div_(query.shape[-1] ** 0.5)
