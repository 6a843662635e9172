"""Mutant, not on the list: only the last batch counts.

loses: evaluate_check evaluate_test
code: training.last-batch
says: Only the last batch
"""

import torch


# cell: evaluate
def evaluate(model, batches, loss):
    was_training = model.training
    model.eval()
    with torch.no_grad():
        for batch in batches:
            result = loss(model(batch.inputs), batch.targets).item()
    model.train(was_training)
    return result
