"""Mutant 49: dropout stays on.

loses: evaluate_check evaluate_test
code: training.dropout-in-evaluation
says: dropout shakes
"""

import torch


# cell: evaluate
def evaluate(model, batches, loss):
    with torch.no_grad():
        total = sum(loss(model(batch.inputs), batch.targets).item() * batch.n_targets for batch in batches)
    return total / sum(batch.n_targets for batch in batches)
