"""Mutant 50: the first window is drawn only where there is no other.

loses: sample_windows_check sample_windows_test
code: training.start-range
says: never starts at 0
"""

import torch

from llmcourse.data import Batch


# cell: sample_windows
def sample_windows(ids, batch_size, context, generator):
    low = min(1, len(ids) - context - 1)
    starts = torch.randint(low, len(ids) - context, (batch_size,), generator=generator)
    windows = ids[starts[:, None] + torch.arange(context + 1)]
    return Batch(windows[:, :-1], windows[:, 1:])
