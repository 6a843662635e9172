"""Optimisers and schedules on one small task of the microworld, over seeds: python benchmarks/optimisers.py.

Runs one cell of the committed log again and prints it beside the log's table; `--all` adds to the log what it lacks.
"""

import dataclasses
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import torch

from llmcourse.data import DocumentBatches, atomic_path, encode_documents, in_order
from llmcourse.hub.config_file import config_from_dict, config_to_dict
from llmcourse.model import Rotary, Transformer, TransformerConfig, fused_attend
from llmcourse.tokenizers import ByteBPE
from llmcourse.training import TrainConfig, evaluate, train
from llmcourse.world import World

LOG = Path(__file__).resolve().parent.parent / "llmcourse" / "training" / "optimisers.json"
END = "<|end|>"
TASK = {"documents": 3_000, "test_documents": 200, "vocab_size": 512, "batch_size": 8}
MODEL = TransformerConfig(
    vocab_size=512,
    d_model=64,
    d_ff=192,
    n_decoder_layers=2,
    n_heads=4,
    position=Rotary(),
    activation="silu",
    gated=True,
    norm="rms",
    bias=False,
)
BASE = TrainConfig(steps=150, warmup=15)
RATES = {"adamw": (1e-2, 2e-2, 4e-2, 8e-2), "muon": (1e-2, 2e-2, 4e-2, 8e-2)}
RECIPES: dict[str, dict[str, Any]] = {
    **{f"{kind}, {s}": {"optimizer": kind, "schedule": s} for kind in RATES for s in ("cosine", "linear", "trapezoid")},
    **{f"{kind}, constant": {"optimizer": kind, "schedule": "constant"} for kind in RATES},
}
SEEDS = (1, 2, 3)


@dataclasses.dataclass(frozen=True)
class Task:
    """What every run trains on, and is scored on."""

    documents: list[list[int]]
    test: list[list[int]]
    floor: float  # nats per token


def task(sizes: dict[str, int]) -> Task:
    """Stories of the microworld, cut by a tokenizer that learned from the first of them."""
    world = World(seed=0)
    texts = [document.text for document in world.documents(sizes["documents"], split="train")]
    held_out = [document.text for document in world.documents(sizes["test_documents"], split="test", seed=1)]
    tokenizer = ByteBPE.train(texts[:500], sizes["vocab_size"], [END])
    documents, test = (encode_documents(each, tokenizer, tokenizer.special_id(END)) for each in (texts, held_out))
    floor = -sum(map(world.log_prob, held_out)) / sum(len(ids) - 1 for ids in test)
    return Task(documents, test, floor)


def run(task: Task, model: TransformerConfig, training: TrainConfig, batch_size: int) -> float:
    """The loss on the test documents after training, in nats per token; the seed decides weights and order."""
    network = Transformer(model, attend=fused_attend, generator=torch.Generator().manual_seed(training.seed))
    batches = DocumentBatches(task.documents, batch_size, training.seed, pool=8)
    for _ in train(network, batches, training, progress=False):
        pass
    return evaluate(network, in_order(task.test, 20)).nats_per_token


def model_fields() -> dict[str, Any]:
    """What the model's config says beyond its defaults, so that a field which comes later changes nothing here."""
    defaults = {field.name: field.default for field in dataclasses.fields(MODEL)}
    return {name: value for name, value in config_to_dict(MODEL).items() if value != defaults[name]}


class Log:
    """The committed rows, written again after every new one; a row that is there already is not run again."""

    def __init__(self) -> None:
        self.task = task(TASK)
        self.head = {
            "task": TASK,
            "model": model_fields(),
            "floor": round(self.task.floor, 5),
            "torch": torch.__version__.split("+")[0],
        }
        old = json.loads(LOG.read_text(encoding="utf-8")) if LOG.exists() else {}
        same = all(old.get(name) == value for name, value in self.head.items())
        self.rows: list[dict[str, Any]] = old["search"] + old["cells"] if same else []

    def row(self, name: str, lr: float, seed: int) -> dict[str, Any]:
        """One run, made now or earlier."""
        training = dataclasses.replace(BASE, **RECIPES[name], lr=lr, seed=seed)
        for row in self.rows:
            if row["recipe"] == name and row["training"] == training.to_dict():
                return row
        started = time.process_time()
        loss = run(self.task, MODEL, training, TASK["batch_size"])
        seconds = time.process_time() - started
        print(f"{name:32} lr {lr:<6} seed {seed}: {loss:.4f}", flush=True)
        row = {"recipe": name, "loss": round(loss, 5), "cpu_seconds": round(seconds, 1), "training": training.to_dict()}
        self.rows.append(row)
        self.write()
        return row

    def write(self) -> None:
        """The log as it is now: seed 0 searched for a rate, the others are compared."""
        parts = {
            "search": [row for row in self.rows if row["training"]["seed"] == 0],
            "cells": [row for row in self.rows if row["training"]["seed"] != 0],
        }
        with atomic_path(LOG) as scratch:
            scratch.write_text(json.dumps({**self.head, **parts}, indent=1) + "\n", encoding="utf-8")


def make_log() -> None:
    """First the best rate of each optimiser, with seed 0; then every recipe at that rate, with other seeds."""
    log = Log()
    best = {}
    for kind, rates in RATES.items():
        found = {lr: log.row(f"{kind}, cosine", lr, seed=0)["loss"] for lr in rates}
        best[kind] = min(found, key=lambda lr: found[lr])
    for seed in SEEDS:
        for name, fields in RECIPES.items():
            log.row(name, best[fields["optimizer"]], seed)


def table(log: dict[str, Any]) -> str:
    """Mean, least and greatest loss of each recipe over its seeds, the best first."""
    losses: dict[str, list[float]] = {}
    for row in log["cells"]:
        losses.setdefault(row["recipe"], []).append(row["loss"])
    lines = [f"floor {log['floor']:.3f}", "", "| recipe | loss | spread |", "|---|--:|--:|"]
    for name, values in sorted(losses.items(), key=lambda item: statistics.fmean(item[1])):
        lines.append(f"| {name} | {statistics.fmean(values):.3f} | {min(values):.3f}–{max(values):.3f} |")
    return "\n".join(lines)


def main() -> None:
    if "--all" in sys.argv[1:]:
        make_log()
    log = json.loads(LOG.read_text(encoding="utf-8"))
    print(table(log))
    row = log["cells"][0]
    loss = run(
        task(log["task"]),
        config_from_dict(log["model"]),
        TrainConfig.from_dict(row["training"]),
        log["task"]["batch_size"],
    )
    print(f"\n{row['recipe']}, seed {row['training']['seed']}: {row['loss']:.4f} in the log, {loss:.4f} now")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
