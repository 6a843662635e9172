"""Mutant, not on the list: inputs are random tokens.

loses: sample_windows_check sample_windows_test
code: training.window-broken
says: in a row from the start
"""

import torch

from llmcourse.data import Batch


# cell: sample_windows
def sample_windows(ids, batch_size, context, generator):
    places = torch.randint(len(ids) - context, (batch_size, context), generator=generator)
    return Batch(ids[places], ids[places + 1])
