"""Mutant 49: the model is left in eval mode.

loses: evaluate_check evaluate_test
code: training.mode-not-restored
says: left in eval mode
"""

import torch


# cell: evaluate
def evaluate(model, batches, loss):
    model.eval()
    with torch.no_grad():
        total = sum(loss(model(batch.inputs), batch.targets).item() * batch.n_targets for batch in batches)
    return total / sum(batch.n_targets for batch in batches)
