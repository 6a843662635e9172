"""Mutant, not on the list: the window keeps its last token.

loses: sample_windows_check sample_windows_test
code: training.shape
says: B T
"""

import torch

from llmcourse.data import Batch


# cell: sample_windows
def sample_windows(ids, batch_size, context, generator):
    starts = torch.randint(len(ids) - context, (batch_size,), generator=generator)
    windows = ids[starts[:, None] + torch.arange(context + 1)]
    return Batch(windows, windows.roll(-1, 1))
