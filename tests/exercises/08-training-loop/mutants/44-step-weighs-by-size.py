"""Mutant 44: batches are weighed by their size.

loses: training_step_check training_step_test
code: training.padding-counted
says: padding included
"""


# cell: training_step
def training_step(model, optimizer, batches, max_norm, loss, clip):
    optimizer.zero_grad()
    n_targets = sum(batch.targets.numel() for batch in batches)
    total = 0.0
    for batch in batches:
        share = loss(model(batch.inputs), batch.targets) * batch.targets.numel() / n_targets
        share.backward()
        total += share.item()
    clip(model.parameters(), max_norm)
    optimizer.step()
    return total
