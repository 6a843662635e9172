"""Rows of an unfolded view, as a pair."""

import torch


# cell: sample_windows
def sample_windows(ids, batch_size, context, generator):
    windows = ids.unfold(0, context + 1, 1)
    chosen = windows[torch.randint(len(windows), (batch_size,), generator=generator)]
    return chosen[:, :context], chosen[:, 1:]
