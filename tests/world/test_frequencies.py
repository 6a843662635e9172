"""Planted frequencies come back out of the stories: 20,000 of them here, and 200,000 in a run that is kept."""

import json
import math
from collections import Counter
from typing import Any

import pytest

from llmcourse.world import World
from tests.world.long_run import COMMAND, LOG, SEED, SPLIT, WORLD_SEED, N, by_rule, first_documents, to_text
from tests.world.planted import ONCE_IN, allowed, count, planted, surprise, surprises

N_HERE = 20_000


@pytest.fixture(scope="module")
def world() -> World:
    return World(WORLD_SEED)


@pytest.fixture(scope="module")
def counted(world: World) -> tuple[dict, dict]:
    return count(world, N_HERE, "test", 1)


@pytest.fixture(scope="module")
def log() -> dict[str, Any]:
    return json.loads(LOG.read_text(encoding="utf-8"))


@pytest.mark.slow
def test_the_stories_show_what_was_planted_as_often_as_it_was_planted(world: World, counted) -> None:
    expected = planted(world)
    assert set(counted[0]) == set(expected)
    found = surprises(counted[0], expected)
    assert len(found) > 100
    assert max(found) < allowed(len(found))


@pytest.mark.slow
def test_every_choice_falls_as_its_distribution_says(counted) -> None:
    found = [
        surprise(k, sum(seen), p) for dist, seen in counted[1].items() for k, p in zip(seen, dist.probs, strict=True)
    ]
    assert len(found) > 1000
    assert max(found) < allowed(len(found))


@pytest.mark.slow
@pytest.mark.parametrize("dials", [{"bias": 0.3}, {"noise": 0.3}], ids=str)
def test_the_intervals_are_narrow_enough_to_know_another_world(counted, dials: dict) -> None:
    found = surprises(counted[0], planted(World(WORLD_SEED, **dials)))
    assert max(found) > allowed(len(found))


def test_the_counts_are_of_the_documents_that_the_world_hands_out(world: World) -> None:
    counts, draws = count(world, 50, "test", 3)
    labels = [document.labels for document in world.documents(50, "test", 3)]
    assert counts["plot"] == Counter(label["plot"] for label in labels)
    assert counts["day"] == Counter(label["day"] for label in labels)
    assert by_rule(draws)["plot"][1] == [counts["plot"][plot] for plot in world.dials.plots]


def test_chernoff_bounds_both_tails_of_the_binomial() -> None:
    n, p = 40, 0.3
    chances = [math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)]
    for k in range(n + 1):
        tail = math.fsum(chances[k:] if k > n * p else chances[: k + 1])
        assert math.log(tail) <= -surprise(k, n, p) + 1e-12
    assert surprise(12, n, p) == 0
    assert surprise(1, n, 0.0) == math.inf
    assert surprise(0, n, 0.0) == 0
    assert 2 * 500 * math.exp(-allowed(500)) == pytest.approx(1 / ONCE_IN)


def test_the_kept_run_is_long_and_of_the_world_as_it_is(world: World, log: dict) -> None:
    settings = ("world_seed", "split", "seed", "documents", "command")
    assert [log[name] for name in settings] == [WORLD_SEED, SPLIT, SEED, N, COMMAND]
    assert N >= 200_000
    assert log["first_documents"] == first_documents(world), f"the world has changed: run `{COMMAND}` again"
    assert to_text(log) == LOG.read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_kept_run_shows_what_was_planted(world: World, log: dict) -> None:
    expected = planted(world)
    assert set(log["planted"]) == set(expected)
    for quantity in ("plot", "day", "weather"):
        assert sum(log["planted"][quantity].values()) == N
    found = surprises(log["planted"], expected)
    assert max(found) < allowed(len(found))


@pytest.mark.slow
def test_the_choices_of_the_kept_run_fell_as_their_distributions_say(counted, log: dict) -> None:
    rules = {dist.rule: dist for dist in counted[1]}
    found = []
    for rule in log["choices"].keys() & rules.keys():  # all but those that 20,000 documents are too few to show
        seen = log["choices"][rule]
        found += [surprise(k, sum(seen), p) for k, p in zip(seen, rules[rule].probs, strict=True)]
    assert len(found) > 500
    assert max(found) < allowed(len(found))
