"""Two groups of parameters, and plain gradient descent."""

import torch


# cell: train
def train(model, batches_of, n_steps, schedule, update):
    rows = [weight for weight in model.parameters() if weight.ndim > 1]
    rest = [weight for weight in model.parameters() if weight.ndim <= 1]
    optimizer = torch.optim.SGD([{"params": rows}, {"params": rest}], momentum=0.9, lr=0.0)

    def steps():
        for step in range(n_steps):
            batches = batches_of(step)
            for group in optimizer.param_groups:
                group.update(lr=schedule(step))
            model.train(True)
            yield update(model, optimizer, batches)

    return steps()
