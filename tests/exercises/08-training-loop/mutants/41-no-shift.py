"""Mutant 41: targets equal inputs.

loses: sample_windows_check sample_windows_test
code: training.no-shift
says: must be shifted
"""

import torch

from llmcourse.data import Batch


# cell: sample_windows
def sample_windows(ids, batch_size, context, generator):
    starts = torch.randint(len(ids) - context, (batch_size,), generator=generator)
    windows = ids[starts[:, None] + torch.arange(context + 1)]
    return Batch(windows[:, :-1], windows[:, :-1])
