"""Mutant, not on the list: all losses come at the end.

loses: train_check train_test
code: training.not-stepwise
says: `yield` the loss
"""

import torch


# cell: train
def train(model, batches_of, n_steps, schedule, update):
    optimizer = torch.optim.AdamW(model.parameters())
    losses = []
    for step in range(n_steps):
        for group in optimizer.param_groups:
            group["lr"] = schedule(step)
        model.train()
        losses.append(update(model, optimizer, batches_of(step)))
    return losses
