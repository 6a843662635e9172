"""Mutant, not on the list: the generator is not used.

loses: sample_windows_check sample_windows_test
code: training.ignores-generator
says: pass `generator=generator`
"""

import torch

from llmcourse.data import Batch


# cell: sample_windows
def sample_windows(ids, batch_size, context, generator):
    starts = torch.randint(len(ids) - context, (batch_size,))
    windows = ids[starts[:, None] + torch.arange(context + 1)]
    return Batch(windows[:, :-1], windows[:, 1:])
