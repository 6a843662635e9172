"""Mutant 45: a mean of the batches' means.

loses: evaluate_check evaluate_test
code: training.mean-of-means
says: few tokens weighs as much
"""

import torch


# cell: evaluate
def evaluate(model, batches, loss):
    was_training = model.training
    model.eval()
    with torch.no_grad():
        losses = [loss(model(batch.inputs), batch.targets).item() for batch in batches]
    model.train(was_training)
    return sum(losses) / len(losses)
