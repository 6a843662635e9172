"""Mutant 49: training mode is set once, before the loop.

loses: train_check train_test
code: training.train-mode
says: not once before the loop
"""

import torch


# cell: train
def train(model, batches_of, n_steps, schedule, update):
    optimizer = torch.optim.AdamW(model.parameters())
    model.train()
    for step in range(n_steps):
        for group in optimizer.param_groups:
            group["lr"] = schedule(step)
        yield update(model, optimizer, batches_of(step))
