"""Our recipe and GPT-2's on real text after 60 seconds of processor time: python benchmarks/recipe_real_text.py.

Runs that are in the log beside this file are not done again; take the log away to start anew.
"""

import statistics
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import torch
from recipe_cells import Log, Recipe, Text, gpt2_recipe, in_words, our_recipe, real_text, run_cell, setting
from tqdm import tqdm

SECONDS, SEEDS, GOAL = 60.0, (0, 1, 2), 0.50
RATES = (1.5e-3, 3e-3, 6e-3)  # the peer's; the best of them with the first seed goes on with the others
OURS, SAME = "ours", "ours with the peer's tokenizer"
RECIPES: dict[str, Recipe] = {
    OURS: our_recipe(),
    SAME: our_recipe(),
    **{f"GPT-2, lr {lr:g}": gpt2_recipe(lr) for lr in RATES},
}
# bits per byte compare models whose tokens differ; a recipe's tokenizer is part of it
VOCABULARY, OUR_VOCABULARY = 512, 2048
LOG = Path(__file__).with_suffix(".json")


def vocabulary(name: str) -> int:
    """How many tokens the recipe's tokenizer is asked for."""
    return OUR_VOCABULARY if name == OURS else VOCABULARY


def keys(cells: Mapping[str, Any]) -> list[str]:
    """The runs, as far as they can be told: seed by seed, so that whatever slows the machine slows both sides."""
    first = [f"{name}, seed {SEEDS[0]}" for name in RECIPES]
    if any(key not in cells for key in first):
        return first
    return first + [f"{name}, seed {seed}" for seed in SEEDS[1:] for name in (OURS, SAME, best_peer(cells))]


def fill(log: Log, text: Callable[[int], Text] = real_text, seconds: float = SECONDS, progress: bool = True) -> None:
    """Does the runs that the log lacks."""
    prepared = cache(text)
    with tqdm(total=len(RECIPES) + 3 * len(SEEDS[1:]), initial=len(log.cells), disable=not progress) as bar:
        while missing := log.missing(keys(log.cells)):
            name, seed = missing[0].rsplit(", seed ", 1)
            log.keep(missing[0], run_cell(seconds, RECIPES[name], prepared(vocabulary(name)), int(seed)))
            bar.update()


def score(cell: Mapping[str, Any]) -> float:
    """Bits per byte of a run: English and Python count alike, however long they are."""
    return statistics.fmean(cell["bits_per_byte"].values())


def by_recipe(cells: Mapping[str, Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """The runs of each recipe, by seed."""
    return {name: [cells[key] for seed in SEEDS if (key := f"{name}, seed {seed}") in cells] for name in RECIPES}


def best_peer(cells: Mapping[str, Mapping[str, Any]]) -> str:
    """The peer's recipe that is best with the first seed; the held-out text itself chooses, in the peer's favour."""
    return min(
        (name for name in RECIPES if name not in (OURS, SAME)),
        key=lambda name: score(cells[f"{name}, seed {SEEDS[0]}"]),
    )


def lead(cells: Mapping[str, Mapping[str, Any]], ours: str = OURS) -> float:
    """By how many bits per byte ours is lower than the peer's best, on average over the seeds."""
    runs = by_recipe(cells)
    return statistics.fmean(map(score, runs[best_peer(cells)])) - statistics.fmean(map(score, runs[ours]))


def report(log: Log) -> str:
    """A table in Markdown, and what it comes to."""
    lines = [
        in_words(log.about),
        "",
        "| recipe | vocabulary | seeds | steps | tokens | English | Python | mean | spread |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, runs in by_recipe(log.cells).items():
        scores = [score(run) for run in runs]
        steps, tokens = (statistics.fmean(run[what] for run in runs) for what in ("steps", "tokens"))
        parts = [statistics.fmean(run["bits_per_byte"][part] for run in runs) for part in ("English", "Python")]
        lines.append(
            f"| {name} | {vocabulary(name):,} | {len(runs)} | {steps:,.0f} | {tokens:,.0f} | {parts[0]:.3f} | "
            f"{parts[1]:.3f} | {statistics.fmean(scores):.3f} | {min(scores):.3f}–{max(scores):.3f} |"
        )
    gain, same = lead(log.cells), lead(log.cells, SAME)
    verdict = "reached" if gain >= GOAL else "missed"
    told = (
        f"Lower by {gain:.3f} bits per byte, and by {same:.3f} with the peer's tokenizer; goal {GOAL:.2f}: {verdict}."
    )
    return "\n".join([*lines, "", told])


if __name__ == "__main__":
    torch.set_num_threads(1)
    log = Log(LOG, setting(SECONDS))
    fill(log)
    print(report(log))
