"""Mutant 50: windows go on at the start of the text.

loses: sample_windows_check sample_windows_test
code: training.start-range
says: the last window of | falls off the end
"""

import torch

from llmcourse.data import Batch


# cell: sample_windows
def sample_windows(ids, batch_size, context, generator):
    starts = torch.randint(len(ids), (batch_size,), generator=generator)
    windows = ids[(starts[:, None] + torch.arange(context + 1)) % len(ids)]
    return Batch(windows[:, :-1], windows[:, 1:])
