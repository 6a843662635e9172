"""Mutant, not on the list: the optimizer holds some parameters only.

loses: train_check train_test
code: training.optimizer-parameters
says: of the model's
"""

import torch


# cell: train
def train(model, batches_of, n_steps, schedule, update):
    optimizer = torch.optim.AdamW(list(model.parameters())[:1])
    for step in range(n_steps):
        for group in optimizer.param_groups:
            group["lr"] = schedule(step)
        model.train()
        yield update(model, optimizer, batches_of(step))
