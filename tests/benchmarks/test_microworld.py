"""Runs towards the microworld's floor: the log adds up, reaches its goal, and its beginning can be made again."""

import importlib
import json
import math
import statistics
from typing import Any

import pytest
import torch

from llmcourse.model import Transformer
from llmcourse.world import World


@pytest.fixture
def script(root, monkeypatch) -> Any:
    monkeypatch.syspath_prepend(root / "benchmarks")
    return importlib.import_module("microworld")


@pytest.fixture
def cells(script) -> dict[str, Any]:
    return json.loads(script.LOG.read_text(encoding="utf-8"))["cells"]


def size(model: torch.nn.Module) -> int:
    return sum(weight.numel() for weight in model.parameters())


def test_three_seeds_come_within_five_percent_of_the_floor(script, cells):
    ours = [cells[f"eight plots, seed {seed}"] for seed in script.SEEDS]
    assert len(ours) == 3
    for cell in ours:
        assert cell["parameters"] < 1e6
        assert cell["steps"] == script.STEPS
        assert script.gap(cell) <= 0.05
        assert script.closed(cell) >= 0.95
        assert cell["nats"] > cell["floor"] - 2 * cell["stderr"]  # nobody beats the truth


def test_gpt2_does_not_in_twice_the_time(script, cells):
    slowest = max(cells[f"eight plots, seed {seed}"]["cpu_seconds"] for seed in script.SEEDS)
    for lr in script.RATES:
        cell = cells[f"GPT-2, lr {lr:g}"]
        assert cell["parameters"] == size(Transformer(script.GPT2)) < 1e6
        assert cell["cpu_seconds"] >= 2 * slowest
        assert script.closed(cell) < 0.95


def test_all_plots_take_three_times_the_tokens_and_gpt2_more_than_twice_that_time(script, cells):
    ours = [cells[f"all plots, three times as long, seed {seed}"] for seed in script.LONG_SEEDS]
    peer = cells[f"all plots, GPT-2, lr {script.LONG_PEER_RATE:g}"]
    for cell in ours:
        assert cell["steps"] == script.LONG * script.STEPS
        assert cell["parameters"] < 1e6
        assert script.gap(cell) == pytest.approx(0.05, abs=0.001)  # the border itself
        assert script.closed(cell) == pytest.approx(0.95, abs=0.001)
        assert peer["cpu_seconds"] >= 2 * cell["cpu_seconds"]
        assert (peer["floor"], peer["5-gram"]) == (cell["floor"], cell["5-gram"])  # the same stories, read and counted
    assert peer["parameters"] == size(Transformer(script.GPT2))
    assert script.closed(peer) < 0.93


def test_the_planted_bias_comes_back_and_is_not_exaggerated(script, cells):
    world = World(0, plots=script.EIGHT)
    jobs: dict[str, list[float]] = {}
    for cell in (cells[f"eight plots, seed {seed}"] for seed in script.SEEDS):
        assert cell["excess"].keys() == {*script.KINDS}
        for job, row in cell["bias"].items():
            assert row["planted"] == pytest.approx(world.pronoun_probs(job)["she"], abs=1e-4)
            # as the stories tell it, give or take what chance does to so many
            assert abs(row["told"] - row["planted"]) < 4 * math.sqrt(0.25 / row["stories"])
            jobs.setdefault(job, []).append((row["model"] - row["planted"]) * math.copysign(1, row["planted"] - 0.5))
    beyond = [statistics.fmean(seeds) for seeds in jobs.values()]
    assert len(beyond) >= 20
    stderr = statistics.stdev(beyond) / math.sqrt(len(beyond))
    assert stderr < 0.0125
    assert -4 * stderr < statistics.fmean(beyond) < 2 * stderr


@pytest.mark.slow
def test_the_beginning_of_a_run_can_be_made_again(script, cells, monkeypatch):
    monkeypatch.setattr(script, "N_SHARED", 2)
    monkeypatch.setattr(script, "N_VISITORS", 30)
    logged = cells["eight plots, seed 0"]
    again = script.ours(0, script.EIGHT, stop=150)
    assert again["floor"] == logged["floor"]
    assert again["parameters"] == logged["parameters"]
    assert again["5-gram"] == pytest.approx(logged["5-gram"], abs=1e-3)
    of_log = {row["step"]: row for row in logged["watched"]}
    for row in again["watched"]:
        for what in ("nats_per_document", "nats_per_repeated_name"):
            # another machine's rounding goes other ways, little by little
            assert row[what] == pytest.approx(of_log[row["step"]][what], rel=0.05), row
        assert row["tokens"] == of_log[row["step"]]["tokens"]
