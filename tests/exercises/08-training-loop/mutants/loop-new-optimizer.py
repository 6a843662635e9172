"""Mutant, not on the list: each step makes a new optimizer.

loses: train_check train_test
code: training.optimizer-renewed
says: running averages
"""

import torch


# cell: train
def train(model, batches_of, n_steps, schedule, update):
    for step in range(n_steps):
        optimizer = torch.optim.AdamW(model.parameters(), lr=schedule(step))
        model.train()
        yield update(model, optimizer, batches_of(step))
