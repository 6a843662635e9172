"""Mutant, not on the list: the sum over all tokens.

loses: evaluate_check evaluate_test
code: training.sum
says: sum over tokens
"""

import torch


# cell: evaluate
def evaluate(model, batches, loss):
    was_training = model.training
    model.eval()
    with torch.no_grad():
        total = sum(loss(model(batch.inputs), batch.targets).item() * batch.n_targets for batch in batches)
    model.train(was_training)
    return total
