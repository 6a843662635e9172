"""A small run with dropout, shared by the tests of the loop, and a program that makes it until it is killed."""

import sys

import torch
from torch import nn

from llmcourse.data import DocumentBatches
from llmcourse.training import TrainConfig, train

V = 11
DOCUMENTS = [[0, *((i * j) % (V - 1) + 1 for j in range(1, 3 + i % 5)), 0] for i in range(1, 14)]


def make_model(seed: int = 0) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(nn.Embedding(V, 6), nn.Linear(6, 8), nn.Dropout(0.3), nn.Tanh(), nn.Linear(8, V))


def make_batches() -> DocumentBatches:
    return DocumentBatches(DOCUMENTS, 3, seed=5)


def make_config(optimizer: str = "adamw", **fields) -> TrainConfig:
    return TrainConfig(**{"steps": 12, "warmup": 2, "lr": 0.02, "accumulate": 2, "optimizer": optimizer, **fields})


def run_until_killed(folder: str, optimizer: str) -> None:
    """Trains, says each step on stdout, and goes on from the folder's checkpoint where there is one."""
    from pathlib import Path

    config = make_config(optimizer, steps=150, checkpoint_every=3)
    checkpoint = Path(folder) / "run.pt"
    options = {"checkpoint_path": checkpoint, "metrics_path": Path(folder) / "run.jsonl", "progress": False}
    resume_from = checkpoint if checkpoint.exists() else None
    for record in train(make_model(), make_batches(), config, resume_from=resume_from, **options):
        print(record.step, flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    run_until_killed(*sys.argv[1:])
