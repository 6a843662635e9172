"""Mutant 48: the weights move before there are gradients.

loses: training_step_check training_step_test
code: training.step-before-backward
says: must come after backward()
"""


# cell: training_step
def training_step(model, optimizer, batches, max_norm, loss, clip):
    optimizer.zero_grad()
    n_targets = sum(batch.n_targets for batch in batches)
    total = 0.0
    for batch in batches:
        share = loss(model(batch.inputs), batch.targets) * batch.n_targets / n_targets
        share.backward()
        total += share.item()
    clip(model.parameters(), max_norm)
    return total
