"""Twelve choices of a recipe, ranked on the microworld and on real text: python benchmarks/recipe_transfer.py.

Runs that are in the log, which comes with the package, are not done again; take the log away to start anew.
"""

import random
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import torch
from recipe_cells import Log, Recipe, gpt2_recipe, in_words, microworld, real_text, run_cell, setting
from tqdm import tqdm

from llmcourse.model import Rotary
from llmcourse.plots import Picture, two_rankings

SECONDS, SEEDS, VOCABULARY = 20.0, (0, 1), 512
TEXTS = {"microworld": microworld, "real text": real_text}
LOG = Path(__file__).resolve().parent.parent / "llmcourse" / "training" / "transfer.json"

BASE = replace(gpt2_recipe(lr=3e-3, d_model=64, d_ff=256, n_decoder_layers=3), batch_size=8)


def changed(*, batch_size: int = BASE.batch_size, training: Mapping[str, Any] | None = None, **model: Any) -> Recipe:
    """The base with one choice made otherwise."""
    return Recipe(
        model=replace(BASE.model, **model),
        training=replace(BASE.training, **training or {}),
        batch_size=batch_size,
    )


# each of the twelve is one choice made otherwise; sizes are chosen so that the layers keep their number of weights
RECIPES: dict[str, Recipe] = {
    "base": BASE,
    "RMS norm": changed(norm="rms"),
    "rotary positions": changed(position=Rotary()),
    "ReLU": changed(activation="relu"),
    "gates": changed(activation="silu", gated=True, d_ff=171),
    "Muon": changed(training={"optimizer": "muon", "lr": 1e-2}),
    "a third of the learning rate": changed(training={"lr": 1e-3}),
    "batches of 2": changed(batch_size=2),
    "constant learning rate": changed(training={"schedule": "constant"}),
    "the vector before": changed(mix_previous=True),
    "output vectors of its own": changed(tie_embeddings=False),
    "1 layer, but wide": changed(n_decoder_layers=1, d_model=112, d_ff=448),
    "no weight decay": changed(training={"weight_decay": 0.0}),
}


def keys() -> list[str]:
    """The runs: both texts of a recipe one after the other, and every recipe once before a second seed."""
    return [f"{name} | {text} | {seed}" for seed in SEEDS for name in RECIPES for text in TEXTS]


def fill(log: Log, texts: Mapping[str, Any] = TEXTS, seconds: float = SECONDS, progress: bool = True) -> None:
    """Does the runs that the log lacks."""
    prepared = cache(lambda name: texts[name](VOCABULARY))
    for key in tqdm(log.missing(keys()), desc="runs", disable=not progress):
        name, text, seed = key.split(" | ")
        log.keep(key, run_cell(seconds, RECIPES[name], prepared(text), int(seed)))


def scores(cells: Mapping[str, Mapping[str, Any]], text: str) -> dict[str, list[float]]:
    """Bits per byte of each recipe on a text, by seed."""
    return {
        name: [statistics.fmean(cells[f"{name} | {text} | {seed}"]["bits_per_byte"].values()) for seed in SEEDS]
        for name in RECIPES
    }


def ranks(values: Sequence[float]) -> list[float]:
    """The place of each value among all, from 1 for the lowest; equal values share the mean of their places."""
    ordered = sorted(values)
    return [statistics.fmean(place for place, other in enumerate(ordered, 1) if other == value) for value in values]


def spearman(first: Sequence[float], second: Sequence[float]) -> float:
    """The correlation of the two rankings: 1 where they agree, -1 where one is the other turned round."""
    return statistics.correlation(ranks(first), ranks(second))


def interval(
    first: Sequence[Sequence[float]], second: Sequence[Sequence[float]], n: int = 2_000, seed: int = 0
) -> tuple[float, float]:
    """Where the rank correlation of the means lies in 95 % of redrawn experiments.

    Each draws, with replacement, as many seeds of every recipe as there are, and then as many recipes as there are.
    """
    chance = random.Random(seed)
    drawn: list[float] = []
    while len(drawn) < n:
        means = [[statistics.fmean(chance.choices(seeds, k=len(seeds))) for seeds in side] for side in (first, second)]
        rows = chance.choices(range(len(first)), k=len(first))
        pair = [[side[row] for row in rows] for side in means]
        if all(len(set(side)) > 1 for side in pair):  # one recipe alone has no ranking
            drawn.append(spearman(*pair))
    drawn.sort()
    return drawn[int(0.025 * n)], drawn[int(0.975 * n) - 1]


def answer(cells: Mapping[str, Mapping[str, Any]]) -> tuple[float, tuple[float, float]]:
    """The rank correlation between the two texts, and its interval."""
    sides = [list(scores(cells, text).values()) for text in TEXTS]
    means = [[statistics.fmean(seeds) for seeds in side] for side in sides]
    return spearman(*means), interval(*sides)


def figure(cells: Mapping[str, Mapping[str, Any]]) -> Picture:
    """Each choice's place on the microworld and on real text."""
    sides = [[statistics.fmean(seeds) for seeds in scores(cells, text).values()] for text in TEXTS]
    return two_rankings(list(RECIPES), *sides, titles=("microworld", "real text"))


def report(log: Log) -> str:
    """A table in Markdown, and what it comes to."""
    sides = {text: scores(log.cells, text) for text in TEXTS}
    places = {text: ranks([statistics.fmean(seeds) for seeds in side.values()]) for text, side in sides.items()}
    lines = [
        in_words(log.about),
        "",
        "| recipe | microworld | spread | place | real text | spread | place |",
        "|---|---|---|---|---|---|---|",
    ]
    for row, name in enumerate(RECIPES):
        parts = [
            f"{statistics.fmean(sides[text][name]):.3f} | {max(sides[text][name]) - min(sides[text][name]):.3f} | "
            f"{places[text][row]:g}"
            for text in TEXTS
        ]
        lines.append(f"| {name} | {' | '.join(parts)} |")
    found, (low, high) = answer(log.cells)
    return "\n".join([*lines, "", f"Rank correlation {found:.2f}, 95 % interval {low:.2f} to {high:.2f}."])


if __name__ == "__main__":
    torch.set_num_threads(1)
    log = Log(LOG, setting(SECONDS))
    fill(log)
    print(report(log))
