"""Reward models, DPO, GRPO and search by meaning on the course's own models, scored against the truth:
python benchmarks/preferences.py prints the runs that are kept in preferences.json beside it; with the names of trials
it runs these anew, with seeds 0, 1 and 2 unless others are given, and keeps what came out:
python benchmarks/preferences.py grpo search --seeds 0 1 2."""

import argparse
import json
import platform
import time
from datetime import date
from pathlib import Path
from typing import Any

import torch
from pairs import machine
from preference_trials import TRIALS

from llmcourse.data import atomic_path

LOG = Path(__file__).with_name("preferences.json")


def kept() -> list[dict[str, Any]]:
    """The runs in the log."""
    return json.loads(LOG.read_text(encoding="utf-8"))["runs"] if LOG.exists() else []


def keep(entry: dict[str, Any]) -> None:
    """Puts a run into the log, in place of an earlier one of the same trial and seed."""
    same = (entry["trial"], entry["seed"])
    runs = [each for each in kept() if (each["trial"], each["seed"]) != same] + [entry]
    runs.sort(key=lambda each: (list(TRIALS).index(each["trial"]), each["seed"]))
    with atomic_path(LOG) as scratch:
        scratch.write_text(json.dumps({"runs": runs}, indent=1) + "\n", encoding="utf-8")


def run(trial: str, seed: int) -> dict[str, Any]:
    """One trial with what is needed to repeat it."""
    started = time.process_time()
    result = TRIALS[trial](seed)
    return {
        "trial": trial,
        "seed": seed,
        "command": f"python benchmarks/preferences.py {trial} --seeds {seed}",
        "date": date.today().isoformat(),
        "where": f"{machine()}, Python {platform.python_version()}, torch {torch.__version__.split('+')[0]}",
        "cpu_seconds": round(time.process_time() - started, 1),
        "result": result,
    }


if __name__ == "__main__":
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trials", nargs="*", help=", ".join(TRIALS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    given = parser.parse_args()
    if not set(given.trials) <= set(TRIALS):
        parser.error(f"the trials are {', '.join(TRIALS)}, not {', '.join(given.trials)}.")
    for trial in given.trials:
        for seed in given.seeds:
            entry = run(trial, seed)
            keep(entry)
            print(json.dumps(entry), flush=True)
    if not given.trials:
        for entry in kept():
            print(json.dumps(entry))
