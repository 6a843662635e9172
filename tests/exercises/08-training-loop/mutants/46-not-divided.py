"""Mutant 46: the losses of the batches are added up.

loses: training_step_check training_step_test
code: training.not-divided
says: never divided
"""


# cell: training_step
def training_step(model, optimizer, batches, max_norm, loss, clip):
    optimizer.zero_grad()
    total = 0.0
    for batch in batches:
        share = loss(model(batch.inputs), batch.targets)
        share.backward()
        total += share.item()
    clip(model.parameters(), max_norm)
    optimizer.step()
    return total
