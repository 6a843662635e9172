"""Mutant 42: targets are the tokens before.

loses: sample_windows_check sample_windows_test
code: training.shifted-back
says: the wrong way
"""

import torch

from llmcourse.data import Batch


# cell: sample_windows
def sample_windows(ids, batch_size, context, generator):
    starts = torch.randint(len(ids) - context, (batch_size,), generator=generator)
    places = starts[:, None] + torch.arange(context)
    return Batch(ids[places], ids[places - 1])
