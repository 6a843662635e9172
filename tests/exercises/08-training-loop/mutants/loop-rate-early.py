"""Mutant, not on the list: the rate of the next step.

loses: train_check train_test
code: training.rate-late
says: one step early
"""

import torch


# cell: train
def train(model, batches_of, n_steps, schedule, update):
    optimizer = torch.optim.AdamW(model.parameters())
    for step in range(n_steps):
        for group in optimizer.param_groups:
            group["lr"] = schedule(step + 1)
        model.train()
        yield update(model, optimizer, batches_of(step))
