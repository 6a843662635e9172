"""Starts from uniform numbers, rounded down."""

import torch

from llmcourse.data import Batch


# cell: sample_windows
def sample_windows(ids, batch_size, context, generator):
    n_starts = len(ids) - context
    starts = (torch.rand(batch_size, generator=generator, dtype=torch.float64) * n_starts).long()
    places = starts[:, None] + torch.arange(context)[None, :]
    return Batch(ids[places], ids[places + 1])
