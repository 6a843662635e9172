"""In inference mode, with try and finally."""

import torch

from llmcourse.data import IGNORE


# cell: evaluate
def evaluate(model, batches, loss):
    training = model.training
    model.eval()
    nats, count = 0.0, 0
    try:
        with torch.inference_mode():
            for batch in batches:
                n = int((batch.targets != IGNORE).sum())
                nats += float(loss(model(batch.inputs), batch.targets)) * n
                count += n
    finally:
        model.train(training)
    return nats / count
