"""With its own cross-entropy, as a running mean."""

import torch
from torch.nn import functional as F

from llmcourse.data import IGNORE


# cell: evaluate
def evaluate(model, batches, loss):
    before = model.training
    model.eval()
    mean, seen = 0.0, 0
    with torch.set_grad_enabled(False):
        for inputs, targets in ((batch.inputs, batch.targets) for batch in batches):
            nats = F.cross_entropy(model(inputs).transpose(1, 2), targets, reduction="sum", ignore_index=IGNORE)
            seen += int((targets != IGNORE).sum())
            mean += (nats.item() - mean * int((targets != IGNORE).sum())) / seen
    model.train(before)
    return mean
