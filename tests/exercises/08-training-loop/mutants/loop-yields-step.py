"""Mutant, not on the list: the step is yielded in place of the loss.

loses: train_check train_test
code: training.losses
says: not those that `update` returns
"""

import torch


# cell: train
def train(model, batches_of, n_steps, schedule, update):
    optimizer = torch.optim.AdamW(model.parameters())
    for step in range(n_steps):
        for group in optimizer.param_groups:
            group["lr"] = schedule(step)
        model.train()
        update(model, optimizer, batches_of(step))
        yield step
