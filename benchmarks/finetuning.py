"""Experiments of fine-tuning, scored against the truth, with three seeds each: python benchmarks/finetuning.py --all.

The package keeps what they found. Names in place of --all run only these again: forgetting, slower, entities, lookup.
Without either, the first row of each is run again and printed beside the one in the log.
"""

import datetime
import json
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import torch

from llmcourse.data import atomic_path
from llmcourse.finetune.experiments import (
    CALLED,
    RESULTS,
    STARTS,
    LookupTrial,
    TagTrial,
    results,
    try_lookup,
    try_tagger,
)
from llmcourse.finetune.forgetting import LORA, LR, N_VECTORS, SLOWER_LR, WAYS, Trial, above_floor, try_way
from llmcourse.hub import Bundle, bundled
from llmcourse.model import fused_attend

SEEDS = (0, 1, 2)
NAMES = ("forgetting", "slower", "entities", "lookup")
MODELS = {"lookup": "microworld-assistant"}  # all others start from the base
Cell = Callable[[], dict[str, Any]]


def settings(name: str) -> dict[str, Any]:
    """What an experiment's rows depend on, beside the model: another value means that it is due again."""
    match name:
        case "forgetting":
            return {**asdict(Trial()), "lora": asdict(LORA), "n_vectors": N_VECTORS, "lr": LR}
        case "slower":
            return {**asdict(Trial()), "lora": asdict(LORA), "lr": SLOWER_LR}
        case "entities":
            return asdict(TagTrial())
        case "lookup":
            return asdict(LookupTrial())
    raise ValueError(f"Experiments are {', '.join(NAMES)}: {name!r} is not one.")


def cells(name: str, model: Bundle) -> Iterator[Cell]:
    """The tries of an experiment, one after the other."""
    if name == "slower":
        yield from (partial(try_way, model, way, seed, lr=lr) for way, lr in SLOWER_LR.items() for seed in SEEDS)
        return
    tries = {"forgetting": (try_way, WAYS), "entities": (try_tagger, STARTS), "lookup": (try_lookup, CALLED)}
    function, variants = tries[name]
    yield from (partial(function, model, variant, seed) for variant in variants for seed in SEEDS)


def run(name: str) -> dict[str, Any]:
    """One experiment as plain values: its model, its settings and its rows."""
    model = bundled(MODELS.get(name, "microworld-small"), attend=fused_attend)
    found = {"weights_sha256": model.manifest["weights_sha256"], "settings": settings(name), "rows": []}
    if name == "forgetting":
        found["above_floor_before"] = round(above_floor(model.model, model, Trial().n_stories, Trial().exam_seed), 3)
    for cell in cells(name, model):
        found["rows"].append(cell())
        print(name, found["rows"][-1], flush=True)
    return found


def again() -> None:
    """Prints the first row of each experiment, from the log and from a new run."""
    for name, logged in results().items():
        model = bundled(MODELS.get(name, "microworld-small"), attend=fused_attend)
        print(f"{name}\n  in the log {logged['rows'][0]}\n  now        {next(cells(name, model))()}", flush=True)


def main(names: Sequence[str]) -> None:
    """Runs the experiments and writes each into the log as soon as it is done."""
    for name in names:
        found = run(name)
        now = datetime.datetime.now(datetime.UTC).date().isoformat()
        versions = {"torch": torch.__version__, "python": platform.python_version()}
        log = results() if RESULTS.exists() else {}
        log[name] = {"command": f"python benchmarks/finetuning.py {name}", "date": now, **versions, **found}
        log = {known: log[known] for known in NAMES if known in log}
        with atomic_path(RESULTS) as scratch:
            scratch.write_text(json.dumps(log, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    torch.set_num_threads(1)
    asked = sys.argv[1:]
    if asked:
        main(NAMES if asked == ["--all"] else asked)
    else:
        again()
