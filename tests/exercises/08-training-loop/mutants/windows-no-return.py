"""Mutant, not on the list: nothing is returned.

loses: sample_windows_check sample_windows_test
code: training.not-a-batch
says: Is there a `return`?
"""

import torch

from llmcourse.data import Batch


# cell: sample_windows
def sample_windows(ids, batch_size, context, generator):
    starts = torch.randint(len(ids) - context, (batch_size,), generator=generator)
    windows = ids[starts[:, None] + torch.arange(context + 1)]
    Batch(windows[:, :-1], windows[:, 1:])
