"""Mutant, not on the list: a new generator for every batch.

loses: sample_windows_check sample_windows_test
code: training.same-windows
says: the same windows each time
"""

import torch

from llmcourse.data import Batch


# cell: sample_windows
def sample_windows(ids, batch_size, context, generator):
    generator = torch.Generator().manual_seed(0)
    starts = torch.randint(len(ids) - context, (batch_size,), generator=generator)
    windows = ids[starts[:, None] + torch.arange(context + 1)]
    return Batch(windows[:, :-1], windows[:, 1:])
