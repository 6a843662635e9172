"""Sums of nats, divided once by the number of tokens."""

from torch import nn


# cell: training_step
def training_step(model, optimizer, batches, max_norm, loss, clip):
    optimizer.zero_grad(set_to_none=False)
    count, nats = 0, 0.0
    for batch in batches:
        value = loss(model(batch.inputs), batch.targets) * batch.n_targets
        value.backward()
        count, nats = count + batch.n_targets, nats + value.item()
    for weight in model.parameters():
        if weight.grad is not None:
            weight.grad /= count
    nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    optimizer.step()
    optimizer.zero_grad()
    return nats / count
