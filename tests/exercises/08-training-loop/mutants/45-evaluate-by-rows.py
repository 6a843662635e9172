"""Mutant 45: each row weighs the same.

loses: evaluate_check evaluate_test
code: training.mean-of-means
says: each row weighs the same
"""

import torch


# cell: evaluate
def evaluate(model, batches, loss):
    was_training = model.training
    model.eval()
    with torch.no_grad():
        total = sum(loss(model(batch.inputs), batch.targets).item() * len(batch.targets) for batch in batches)
    model.train(was_training)
    return total / sum(len(batch.targets) for batch in batches)
