"""A few steps as written and compiled: prints both curves, and how many graphs were compiled."""

import json

import torch

from llmcourse.data import WindowBatches
from llmcourse.training import train
from tests.training.runs import V, make_config, make_model

if __name__ == "__main__":
    torch.set_num_threads(1)
    curves = []
    for compile_it in (False, True):
        model = make_model()
        model[2].p = 0.0  # compiled dropout draws other numbers
        batches = WindowBatches([i * i % V for i in range(60)], 2, 6)
        config = make_config(steps=3, accumulate=1, compile=compile_it)
        curves.append([record.loss for record in train(model, batches, config, progress=False)])
    print(json.dumps([*curves, torch._dynamo.utils.counters["stats"]["unique_graphs"]]))
