"""Mutant, not on the list: steps are counted from 1.

loses: train_check train_test
code: training.wrong-batches
says: batches of steps 0 to
"""

import torch


# cell: train
def train(model, batches_of, n_steps, schedule, update):
    optimizer = torch.optim.AdamW(model.parameters())
    for step in range(1, n_steps + 1):
        for group in optimizer.param_groups:
            group["lr"] = schedule(step)
        model.train()
        yield update(model, optimizer, batches_of(step))
