"""Mutant 47: only the last batch counts.

loses: training_step_check training_step_test
code: training.zero-grad-between
says: not between the batches
"""


# cell: training_step
def training_step(model, optimizer, batches, max_norm, loss, clip):
    n_targets = sum(batch.n_targets for batch in batches)
    total = 0.0
    for batch in batches:
        optimizer.zero_grad()
        share = loss(model(batch.inputs), batch.targets) * batch.n_targets / n_targets
        share.backward()
        total += share.item()
    clip(model.parameters(), max_norm)
    optimizer.step()
    return total
