"""Reward models, DPO, GRPO and search by meaning on the course's own models, scored against the truth:
python benchmarks/preferences.py prints tables of the runs in the log that comes with the package; with the names of
trials it runs these anew, with seeds 0, 1 and 2 unless others are given, and keeps what came out:
python benchmarks/preferences.py grpo search --seeds 0 1 2."""

import argparse
import json
import platform
import statistics
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import torch
from pairs import machine
from preference_trials import TRIALS

from llmcourse.data import atomic_path

LOG = Path(__file__).resolve().parent.parent / "llmcourse" / "finetune" / "preferences.json"
ARMS = {
    "before": "start",
    "chosen answers only": "chosen only",
    "DPO": "dpo",
    "DPO, one-sided pairs": "dpo without withheld",
}
SEARCHED = ("bag of words", "untrained", "trained")


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


def tables(runs: Sequence[dict[str, Any]]) -> str:
    """The runs as tables in Markdown: the mean over the seeds of each trial, and the standard deviation."""
    by_trial = {trial: [each["result"] for each in runs if each["trial"] == trial] for trial in TRIALS}
    wheres = "; ".join(sorted({each["where"] for each in runs}))
    parts = (_rewards(by_trial["reward"]), _arms(by_trial["dpo"]), _practice(by_trial["grpo"]), _searches(by_trial))
    return "\n\n".join([f"{wheres}; one thread", *("\n".join(lines) for lines in parts)])


def over(values: Sequence[float], digits: int = 1) -> str:
    """The mean and, where there is more than one value, the standard deviation."""
    spread = f" ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{statistics.fmean(values):.{digits}f}{spread}"


def _rewards(results: Sequence[dict[str, Any]]) -> list[str]:
    n = results[0]["right"][1]
    right = over([each["right"][0] for each in results])
    gap = over([each["calibration_gap"] for each in results], 3)
    head = f"| reward model, {results[0]['pairs']:,} pairs | ranked right, of {n} | calibration gap |"
    return [head, "|---|---|---|", f"| {len(results)} seeds | {right} | {gap} |"]


def _arms(results: Sequence[dict[str, Any]]) -> list[str]:
    n = sum(results[0]["start"]["said"].values())
    head = f'| of {n} answers | true | wrongly "not said" | pairs ranked right | KL, nats | nats above the floor |'
    lines = [head, "|---|---|---|---|---|---|"]
    for name, arm in ARMS.items():
        found = [each[arm] for each in results]
        said = [over([each["said"].get(kind, 0) for each in found]) for kind in ("chosen", "shy")]
        ranked = over([each["implicit_right"][0] for each in found])
        kl, above = over([each["kl"][0] for each in found], 2), over([each["above_floor"] for each in found])
        lines.append(f"| {name} | {' | '.join(said)} | {ranked} | {kl} | {above} |")
    return lines


def _practice(results: Sequence[dict[str, Any]]) -> list[str]:
    lines = [f"| GRPO, {results[0]['steps']} steps | right before | right after | gain |", "|---|---|---|---|"]
    for group in ("all", "kept back", "others"):
        shares = [over([each[group][when][0] for each in results], 3) for when in ("before", "after", "gain")]
        lines.append(f"| questions: {group} | {' | '.join(shares)} |")
    floors = [over([each["above_floor"][when] for each in results]) for when in ("before", "after")]
    return [*lines, f"| nats above the floor | {' | '.join(floors)} | |"]


def _searches(by_trial: dict[str, list[dict[str, Any]]]) -> list[str]:
    lines = ["| search, recall@1 | alone | among lookalikes |", "|---|---|---|"]
    for kind in SEARCHED:
        found = [
            over([each[kind][place]["recall@1"] for each in by_trial["search"]], 3)
            for place in ("alone", "among lookalikes")
        ]
        lines.append(f"| {kind} | {' | '.join(found)} |")
    return lines


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
        print(tables(kept()))
