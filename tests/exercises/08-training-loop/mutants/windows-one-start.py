"""Mutant, not on the list: all rows start at the same place.

loses: sample_windows_check sample_windows_test
code: training.one-start
says: one start per row
"""

import torch

from llmcourse.data import Batch


# cell: sample_windows
def sample_windows(ids, batch_size, context, generator):
    start = int(torch.randint(len(ids) - context, (1,), generator=generator))
    window = ids[start : start + context + 1].expand(batch_size, -1)
    return Batch(window[:, :-1], window[:, 1:])
