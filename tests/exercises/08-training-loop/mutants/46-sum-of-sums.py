"""Mutant 46: the loss is a sum over tokens.

loses: training_step_check training_step_test
code: training.not-divided
says: never divided
"""


# cell: training_step
def training_step(model, optimizer, batches, max_norm, loss, clip):
    optimizer.zero_grad()
    n_targets = sum(batch.n_targets for batch in batches)
    total = 0.0
    for batch in batches:
        nats = loss(model(batch.inputs), batch.targets) * batch.n_targets
        nats.backward()
        total += nats.item()
    clip(model.parameters(), max_norm)
    optimizer.step()
    return total / n_targets
