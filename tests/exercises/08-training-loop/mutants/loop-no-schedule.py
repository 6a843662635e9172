"""Mutant, not on the list: the rate stays as it is.

loses: train_check train_test
code: training.rate-constant
says: never changes
"""

import torch


# cell: train
def train(model, batches_of, n_steps, schedule, update):
    optimizer = torch.optim.AdamW(model.parameters(), lr=schedule(0))
    for step in range(n_steps):
        model.train()
        yield update(model, optimizer, batches_of(step))
