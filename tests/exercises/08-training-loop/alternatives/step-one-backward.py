"""One backward for all batches; the loss comes back as a tensor."""

import torch


# cell: training_step
def training_step(model, optimizer, batches, max_norm, loss, clip):
    model.zero_grad()
    counts = torch.tensor([batch.n_targets for batch in batches])
    losses = torch.stack([loss(model(batch.inputs), batch.targets) for batch in batches])
    total = (losses * counts).sum() / counts.sum()
    total.backward()
    clip(list(model.parameters()), max_norm)
    optimizer.step()
    return total.detach()
