"""Slices, stacked."""

import torch

from llmcourse.data import Batch


# cell: sample_windows
def sample_windows(ids, batch_size, context, generator):
    inputs, targets = [], []
    for _ in range(batch_size):
        start = int(torch.randint(0, len(ids) - context, (), generator=generator))
        inputs.append(ids[start : start + context])
        targets.append(ids[start + 1 : start + context + 1])
    return Batch(torch.stack(inputs), torch.stack(targets))
