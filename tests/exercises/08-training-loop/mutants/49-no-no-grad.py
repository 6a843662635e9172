"""Mutant 49: the graph is recorded.

loses: evaluate_check evaluate_test
code: training.graph-in-evaluation
says: torch.no_grad()
"""


# cell: evaluate
def evaluate(model, batches, loss):
    was_training = model.training
    model.eval()
    total = sum(loss(model(batch.inputs), batch.targets).item() * batch.n_targets for batch in batches)
    model.train(was_training)
    return total / sum(batch.n_targets for batch in batches)
