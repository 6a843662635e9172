"""Scores by einsum."""

import math

import torch


# cell: attention_scores
def attention_scores(query, key):
    return torch.einsum("bhtk,bhsk->bhts", query, key) / math.sqrt(query.shape[-1])
