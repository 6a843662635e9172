"""Mutant, not on the list: the rate is set after the update.

loses: train_check train_test
code: training.rate-late
says: one step late
"""

import torch


# cell: train
def train(model, batches_of, n_steps, schedule, update):
    optimizer = torch.optim.AdamW(model.parameters())
    for step in range(n_steps):
        model.train()
        loss = update(model, optimizer, batches_of(step))
        for group in optimizer.param_groups:
            group["lr"] = schedule(step)
        yield loss
