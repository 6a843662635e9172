"""Gradients through autograd.grad, summed and then assigned."""

import torch

from llmcourse.data import IGNORE


# cell: training_step
def training_step(model, optimizer, batches, max_norm, loss, clip):
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    count = sum(int((batch.targets != IGNORE).sum()) for batch in batches)
    totals, nats = [None] * len(weights), 0.0
    for batch in batches:
        value = loss(model(batch.inputs), batch.targets) * batch.n_targets
        nats += float(value.detach())
        for i, part in enumerate(torch.autograd.grad(value, weights, allow_unused=True)):
            if part is not None:
                totals[i] = part if totals[i] is None else totals[i] + part
    for weight, total in zip(weights, totals, strict=True):
        weight.grad = None if total is None else total / count
    clip(weights, max_norm)
    optimizer.step()
    return nats / count
