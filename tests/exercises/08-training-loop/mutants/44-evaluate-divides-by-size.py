"""Mutant 44: the sum is divided by all positions.

loses: evaluate_check evaluate_test
code: training.padding-counted
says: divided by all positions
"""

import torch


# cell: evaluate
def evaluate(model, batches, loss):
    was_training = model.training
    model.eval()
    with torch.no_grad():
        total = sum(loss(model(batch.inputs), batch.targets).item() * batch.n_targets for batch in batches)
    model.train(was_training)
    return total / sum(batch.targets.numel() for batch in batches)
