"""Mutant 42: targets are two ahead.

loses: sample_windows_check sample_windows_test
code: training.shifted-twice
says: two tokens ahead
"""

import torch

from llmcourse.data import Batch


# cell: sample_windows
def sample_windows(ids, batch_size, context, generator):
    starts = torch.randint(max(1, len(ids) - context - 1), (batch_size,), generator=generator)
    places = starts[:, None] + torch.arange(context)
    return Batch(ids[places], ids[(places + 2) % len(ids)])
