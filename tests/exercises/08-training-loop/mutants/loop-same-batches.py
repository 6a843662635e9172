"""Mutant, not on the list: every step sees the first batches.

loses: train_check train_test
code: training.same-batches
says: the same batches
"""

import torch


# cell: train
def train(model, batches_of, n_steps, schedule, update):
    optimizer = torch.optim.AdamW(model.parameters())
    for step in range(n_steps):
        for group in optimizer.param_groups:
            group["lr"] = schedule(step)
        model.train()
        yield update(model, optimizer, batches_of(0))
