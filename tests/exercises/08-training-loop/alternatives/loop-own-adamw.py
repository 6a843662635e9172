"""AdamW by hand."""

import torch


# cell: train
class AdamW:
    def __init__(self, weights):
        self.param_groups = [{"params": list(weights), "lr": 0.0}]
        self.state, self.count = {}, 0

    def zero_grad(self):
        for weight in self.param_groups[0]["params"]:
            weight.grad = None

    @torch.no_grad()
    def step(self):
        self.count += 1
        rate = self.param_groups[0]["lr"]
        for weight in self.param_groups[0]["params"]:
            if weight.grad is None:
                continue
            mean, square = self.state.get(weight, (0.0, 0.0))
            mean = 0.9 * mean + 0.1 * weight.grad
            square = 0.95 * square + 0.05 * weight.grad**2
            self.state[weight] = mean, square
            root = (square / (1 - 0.95**self.count)).sqrt()
            weight *= 1 - 0.05 * rate
            weight -= rate * mean / (1 - 0.9**self.count) / (root + 1e-8)


def train(model, batches_of, n_steps, schedule, update):
    optimizer = AdamW(model.parameters())
    for step in range(n_steps):
        optimizer.param_groups[0]["lr"] = schedule(step)
        model.train()
        yield update(model, optimizer, batches_of(step))
