"""A decorator in place of a block; tensors to the end; every module is put back."""

import torch


# cell: evaluate
@torch.no_grad()
def evaluate(model, batches, loss):
    modes = {module: module.training for module in model.modules()}
    model.train(False)
    losses = torch.stack([loss(model(batch.inputs), batch.targets) for batch in batches])
    for module, mode in modes.items():
        module.training = mode
    counts = torch.tensor([batch.n_targets for batch in batches], dtype=torch.float32)
    return (losses * counts).sum() / counts.sum()
