"""A scheduler class, stepped after each update."""

import torch


# cell: train
def train(model, batches_of, n_steps, schedule, update):
    optimizer = torch.optim.AdamW(model.parameters(), lr=1.0)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, schedule)
    step = 0
    while step < n_steps:
        yield update(model.train(), optimizer, batches_of(step))
        scheduler.step()
        step += 1
