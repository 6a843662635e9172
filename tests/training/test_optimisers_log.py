"""The committed log of optimisers and schedules is whole, keeps its own rules, and one of its runs repeats."""

import importlib
import json

import pytest

from llmcourse.hub.config_file import config_from_dict
from llmcourse.training import TrainConfig


@pytest.fixture
def script(root, monkeypatch):
    monkeypatch.syspath_prepend(root / "benchmarks")
    return importlib.import_module("optimisers")


@pytest.fixture
def log(script):
    return json.loads(script.LOG.read_text(encoding="utf-8"))


def test_the_log_holds_every_recipe_with_every_seed_once(script, log):
    assert log["task"] == script.TASK
    assert config_from_dict(log["model"]) == script.MODEL
    rows = sorted((row["recipe"], row["training"]["seed"]) for row in log["cells"])
    assert rows == sorted((name, seed) for name in script.RECIPES for seed in script.SEEDS)
    for row in log["cells"]:
        given = {name: row["training"][name] for name in script.RECIPES[row["recipe"]]}
        assert given == script.RECIPES[row["recipe"]]
        assert row["loss"] > log["floor"] > 0


def test_each_optimiser_has_the_best_of_the_rates_that_were_searched_and_it_is_not_at_the_edge(script, log):
    for kind, rates in script.RATES.items():
        searched = {row["training"]["lr"]: row["loss"] for row in log["search"] if row["training"]["optimizer"] == kind}
        assert tuple(searched) == rates
        best = min(searched, key=lambda lr: searched[lr])
        assert rates[0] < best < rates[-1]
        assert {row["training"]["lr"] for row in log["cells"] if row["training"]["optimizer"] == kind} == {best}


def test_the_table_is_the_log_s(script, log):
    lines = script.table(log).splitlines()
    assert len(lines) == 4 + len(script.RECIPES)
    for name in script.RECIPES:
        losses = [row["loss"] for row in log["cells"] if row["recipe"] == name]
        assert f"| {name} | {sum(losses) / 3:.3f} | {min(losses):.3f}–{max(losses):.3f} |" in lines


@pytest.mark.slow
def test_one_run_of_the_log_gives_its_loss_again(script, log):
    row = next(row for row in log["cells"] if row["recipe"] == "adamw, linear")
    training, batch_size = TrainConfig.from_dict(row["training"]), log["task"]["batch_size"]
    loss = script.run(script.task(log["task"]), config_from_dict(log["model"]), training, batch_size)
    assert loss == pytest.approx(row["loss"], abs=0.05)  # another machine rounds otherwise
