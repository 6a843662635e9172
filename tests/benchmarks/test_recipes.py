"""The benchmarks of recipes: logs add up, a run can be made again, and the statistics are what they are called."""

import importlib
import itertools
import json
import random
import statistics
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from llmcourse.model import Transformer


@pytest.fixture
def scripts(root: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    monkeypatch.syspath_prepend(root / "benchmarks")
    names = ("cells", "real_text", "transfer")
    return SimpleNamespace(**{name: importlib.import_module(f"recipe_{name}") for name in names})


@pytest.fixture
def tiny(scripts: SimpleNamespace) -> Any:
    """A few stories of the world, in a few tokens."""
    return scripts.cells.microworld(n_vocab=270, n_train=40, n_held_out=3)


def clock_of(seconds_a_look: float) -> Any:
    """A clock that goes on by so much each time that it is looked at."""
    ticks = itertools.count()
    return lambda: next(ticks) * seconds_a_look


@pytest.mark.parametrize("name", ["real_text", "transfer"])
def test_every_run_of_a_log_adds_up(scripts, name):
    script = getattr(scripts, name)
    log = json.loads(script.LOG.read_text(encoding="utf-8"))
    assert log["about"]["seconds"] == script.SECONDS
    assert log["cells"]
    for key, cell in log["cells"].items():
        chosen = key.split(" | ")[0] if name == "transfer" else key.rsplit(", seed ", 1)[0]
        recipe = script.RECIPES[chosen]
        n_vocab = script.VOCABULARY if name == "transfer" else script.vocabulary(chosen)
        config = scripts.cells.replace(recipe.model, vocab_size=n_vocab)
        assert cell["parameters"] == sum(weight.numel() for weight in Transformer(config).parameters())
        assert cell["tokens"] == cell["steps"] * recipe.batch_size * scripts.cells.CONTEXT
        assert script.SECONDS <= cell["seconds"] < 1.1 * script.SECONDS
        assert all(0 < bits < 8 for bits in cell["bits_per_byte"].values())
        assert str(cell["seed"]) == key[-1]


@pytest.mark.slow
def test_a_run_can_be_made_again_and_has_learned_something(scripts, tiny):
    recipe = scripts.cells.our_recipe(d_model=16, d_ff=32, n_decoder_layers=1)
    cells = [scripts.cells.run_cell(12.0, recipe, tiny, seed=3, clock=clock_of(1.0)) for _ in range(2)]
    assert cells[0] == cells[1]
    assert cells[0]["steps"] == 11
    untrained = scripts.cells.run_cell(1.0, recipe, tiny, seed=3, clock=clock_of(1.0))
    assert untrained["steps"] == 0
    assert cells[0]["bits_per_byte"]["stories"] < untrained["bits_per_byte"]["stories"] - 0.3


def test_the_schedule_ends_with_the_clock_however_fast_the_steps(scripts, tiny, monkeypatch):
    rates: dict[float, list[float]] = {}
    for pace in (1.0, 2.0):
        seen = rates.setdefault(pace, [])
        rate = scripts.cells.learning_rate
        monkeypatch.setattr(
            scripts.cells, "learning_rate", lambda tick, plan, s=seen, r=rate: s.append(r(tick, plan)) or s[-1]
        )
        plain = scripts.cells.gpt2_recipe(d_model=16, d_ff=32, n_decoder_layers=1)
        recipe = scripts.cells.replace(plain, batch_size=1)
        scripts.cells.train_for(20.0, recipe, tiny, seed=0, clock=clock_of(pace))
        monkeypatch.undo()
        assert seen == sorted(seen, reverse=True)  # the first look is behind the warm-up
        assert seen[-1] < 0.1 * recipe.training.lr
    assert len(rates[1.0]) == 2 * len(rates[2.0]) + 1


def test_bits_per_byte_of_a_model_that_knows_nothing_are_those_of_equal_chances(scripts, tiny):
    recipe = scripts.cells.gpt2_recipe(d_model=16, d_ff=32, n_decoder_layers=1)
    model = Transformer(scripts.cells.replace(recipe.model, vocab_size=tiny.vocab_size))
    with torch.no_grad():
        model.tokens.weight.zero_()
    ids, n_bytes = tiny.held_out["stories"]
    expected = (len(ids) - 1) * torch.tensor(float(tiny.vocab_size)).log2().item() / n_bytes
    assert scripts.cells.bits_per_byte(model, ids, n_bytes) == pytest.approx(expected, rel=1e-5)


def test_held_out_files_of_real_text_are_none_of_those_trained_on(scripts, monkeypatch):
    given = {("stdlib-docs", "train"): ["help " * 90], ("stdlib-docs", "test"): ["topic " * 50]}
    given |= {("stdlib-code", "train"): ["def f(): pass\n" * 40] * 9, ("stdlib-code", "test"): ["x = 1\n" * 70]}
    asked = []

    def load(name: str, split: str) -> SimpleNamespace:
        asked.append((name, split))
        return SimpleNamespace(texts=given[name, split])

    monkeypatch.setattr(scripts.cells.corpora, "load", load)
    text = scripts.cells.real_text(280, n_train=2_000, n_held_out=200)
    assert set(asked) == set(given)
    assert {name: n_bytes for name, (_, n_bytes) in text.held_out.items()} == {"English": 200, "Python": 200}


def test_a_log_is_taken_up_where_it_was_left_and_nothing_is_done_twice(scripts, tiny, tmp_path, monkeypatch):
    script, done = scripts.transfer, []
    monkeypatch.setattr(script, "RECIPES", dict(list(script.RECIPES.items())[:2]))
    monkeypatch.setattr(script, "run_cell", lambda seconds, recipe, text, seed: done.append(recipe) or {"seed": seed})
    texts = {"microworld": lambda n: tiny, "real text": lambda n: tiny}
    here = {"seconds": 1.0}
    log = scripts.cells.Log(tmp_path / "log.json", here)
    script.fill(log, texts, progress=False)
    assert len(done) == 8
    again = scripts.cells.Log(tmp_path / "log.json", here)
    assert again.cells == log.cells
    del again.cells["base | microworld | 1"]
    script.fill(again, texts, progress=False)
    assert len(done) == 9
    elsewhere = scripts.cells.Log(tmp_path / "log.json", {"seconds": 2.0})
    assert elsewhere.missing(script.keys()) == []  # a whole log can be read anywhere
    with pytest.raises(ValueError, match="tells of another setting"):
        elsewhere.missing(["one more"])


def test_the_peers_rate_is_chosen_with_the_first_seed_and_the_lead_is_a_difference_of_means(scripts, monkeypatch):
    script = scripts.real_text
    cells = {}
    for shift, seed in ((0.0, 0), (0.3, 1), (0.6, 2)):
        for name, bits in zip(script.RECIPES, (2.0, 2.2, 3.0, 2.5, 2.8), strict=True):
            cells[f"{name}, seed {seed}"] = {
                "bits_per_byte": {"English": bits + shift - 0.1, "Python": bits + shift + 0.1}
            }
    assert script.best_peer(cells) == "GPT-2, lr 0.003"
    assert script.lead(cells) == pytest.approx(0.5)
    assert script.lead(cells, script.SAME) == pytest.approx(0.3)
    first = {key: cell for key, cell in cells.items() if key.endswith("0")}
    assert script.keys({}) == list(first)
    assert script.keys(first) == [
        *first,
        *(f"{n}, seed {s}" for s in (1, 2) for n in (script.OURS, script.SAME, "GPT-2, lr 0.003")),
    ]


def test_spearman_is_the_formula_of_squared_differences(scripts):
    chance = random.Random(2)
    first, second = ([chance.random() for _ in range(9)] for _ in range(2))
    places = [[sorted(side).index(value) for value in side] for side in (first, second)]
    gaps = sum((a - b) ** 2 for a, b in zip(*places, strict=True))
    assert scripts.transfer.spearman(first, second) == pytest.approx(1 - 6 * gaps / (9 * 80))
    assert scripts.transfer.ranks([5.0, 1.0, 5.0, 9.0]) == [2.5, 1.0, 2.5, 4.0]
    assert scripts.transfer.spearman(first, [value**3 for value in first]) == pytest.approx(1)
    assert scripts.transfer.spearman(first, [-value for value in first]) == pytest.approx(-1)


def test_the_interval_holds_the_truth_and_is_narrow_only_where_seeds_and_recipes_agree(scripts):
    chance = random.Random(4)
    truth = [float(place) for place in range(13)]
    agreed = [[value, value + 0.01] for value in truth]
    low, high = scripts.transfer.interval(agreed, agreed, n=400)
    assert low == pytest.approx(1)
    assert high == pytest.approx(1)
    unrelated = [[chance.random() * 13] * 2 for _ in truth]
    low, high = scripts.transfer.interval(agreed, unrelated, n=400)
    middle = scripts.transfer.spearman(truth, [statistics.fmean(seeds) for seeds in unrelated])
    assert low < middle < high
    assert high - low > 0.5


def test_the_answer_and_its_figure_are_those_of_the_logged_runs(scripts):
    script = scripts.transfer
    cells, world, real = {}, [], []
    chance = random.Random(7)
    for name in script.RECIPES:
        runs = [chance.random() for _ in range(4)]
        for (text, seed), bits in zip(itertools.product(script.TEXTS, script.SEEDS), runs, strict=True):
            parts = {"English": bits - 0.1, "Python": bits + 0.1} if text == "real text" else {"stories": bits}
            cells[f"{name} | {text} | {seed}"] = {"bits_per_byte": parts}
        world.append(runs[0] + runs[1])
        real.append(runs[2] + runs[3])
    found, (low, high) = script.answer(cells)
    assert found == pytest.approx(script.spearman(world, real))
    assert low < found < high
    lines = script.figure(cells).axes[0].lines
    assert [list(line.get_ydata()) for line in lines] == [
        list(places) for places in zip(script.ranks(world), script.ranks(real), strict=True)
    ]
    assert set(script.keys()) == set(cells)


def test_the_results_page_tells_what_the_whole_log_of_transfer_comes_to(scripts, root):
    log = scripts.cells.Log(scripts.transfer.LOG, {})
    assert set(log.cells) == set(scripts.transfer.keys())
    page = (root / "benchmarks" / "RESULTS.md").read_text(encoding="utf-8")
    assert all(f"{line}\n" in page for line in scripts.transfer.report(log).splitlines() if line)


def test_the_two_rankings_of_the_log_agree_as_numpy_finds_it(scripts):
    cells = scripts.cells.Log(scripts.transfer.LOG, {}).cells
    sides = [[sum(seeds) for seeds in scripts.transfer.scores(cells, text).values()] for text in scripts.transfer.TEXTS]
    assert all(len(set(side)) == len(side) for side in sides)  # no ties, so two sorts rank
    found, (low, high) = scripts.transfer.answer(cells)
    assert found == pytest.approx(np.corrcoef(np.argsort(np.argsort(sides)))[0, 1])
    assert low <= found <= high
