"""Mutant, not on the list: makes as many steps as the visible check asks for, or more.

loses: train_test
code: training.step-count
says: batches of steps 0 to
"""

import torch


# cell: train
def train(model, batches_of, n_steps, schedule, update):
    optimizer = torch.optim.AdamW(model.parameters())
    for step in range(max(n_steps, 6)):
        for group in optimizer.param_groups:
            group["lr"] = schedule(step)
        model.train()
        yield update(model, optimizer, batches_of(step))
