"""Mutant 50: one start too many: the last window has no last target.

loses: sample_windows_check sample_windows_test
code: training.start-range
says: the last window of
"""

import torch

from llmcourse.data import Batch


# cell: sample_windows
def sample_windows(ids, batch_size, context, generator):
    starts = torch.randint(len(ids) - context + 1, (batch_size,), generator=generator)
    windows = [ids[start : start + context + 1] for start in starts.tolist()]
    return Batch(torch.stack([w[:-1] for w in windows]), torch.stack([w[1:] for w in windows]))
