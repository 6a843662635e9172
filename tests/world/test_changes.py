"""A text with one word changed is impossible, or less likely by exactly what the rules say."""

import math
import re

import pytest

from llmcourse.world import World
from llmcourse.world.lexicon import DAYS, SKIES


def opened_by(world: World, pattern: str) -> re.Match[str]:
    """The first document that opens with `pattern` and names no other day or weather."""
    words = [*DAYS, *(sky.key for sky in SKIES)]
    for document in world.documents(400, "valid"):
        match = re.fullmatch(pattern, document.text)
        if match and not any(word in match["rest"] for word in words):
            return match
    raise AssertionError(f"no document opens with {pattern}")


def test_another_day_is_as_much_less_likely_as_its_weight_is_smaller() -> None:
    world = World(0, plots=("contest",))
    match = opened_by(world, r"(?P<start>On an? \w+) (?P<day>\w+), (?P<rest>.*)")
    weights = {day: world.weight("day", day) for day in DAYS}
    before = world.log_prob(match[0])
    for day in DAYS:
        after = world.log_prob(f"{match['start']} {day}, {match['rest']}")
        assert after - before == pytest.approx(math.log(weights[day] / weights[match["day"]]), abs=1e-9)
    for other in ("monday", "Yesterday", "Monday.", match["day"].upper()):
        assert world.log_prob(f"{match['start']} {other}, {match['rest']}") == -math.inf


def test_another_weather_is_as_much_less_likely_as_its_weight_is_smaller_and_takes_its_article() -> None:
    world = World(0, plots=("contest",))
    match = opened_by(world, r"On (?P<article>an?) (?P<sky>\w+) (?P<day>\w+, )(?P<rest>.*)")
    before = world.log_prob(match[0])
    for sky in SKIES:
        article = sky.forms["a"].split(" ")[0]
        after = world.log_prob(f"On {article} {sky.key} {match['day']}{match['rest']}")
        weights = world.weight("sky", sky.key), world.weight("sky", match["sky"])
        assert after - before == pytest.approx(math.log(weights[0] / weights[1]), abs=1e-9)
        wrong = {"a": "an", "an": "a"}[article]
        assert world.log_prob(f"On {wrong} {sky.key} {match['day']}{match['rest']}") == -math.inf


@pytest.mark.slow
@pytest.mark.parametrize("plot", World().dials.plots)
def test_a_changed_word_costs_what_the_next_word_probabilities_say(plot: str) -> None:
    world = World(2, plots=(plot,))
    words = world.documents(1, "test")[0].text.split(" ")
    n_possible = 0
    for place in range(len(words)):
        probs = world.next_word_probs(" ".join(words[:place]))
        for other in [word for word in probs if word and word != words[place]][:3]:
            changed = [*words[:place], other, *words[place + 1 :]]
            score = world.log_prob(" ".join(changed))
            if score > -math.inf and n_possible < 2:
                n_possible += 1
                steps = [world.next_word_probs(" ".join(changed[:i]))[w] for i, w in enumerate([*changed, ""])]
                assert score == pytest.approx(math.fsum(map(math.log, steps)), abs=1e-9)
        assert world.log_prob(" ".join([*words[:place], "turbine", *words[place + 1 :]])) == -math.inf
    assert n_possible > 0


@pytest.mark.slow
@pytest.mark.parametrize("other", [{"noise": 0.05}, {"bias": 0.4}, {"hops": 3}, {"n_people": 15}], ids=str)
def test_no_world_near_the_true_one_scores_below_the_floor_beyond_its_error(other: dict) -> None:
    truth, model = World(1), World(1, **other)
    texts = [document.text for document in truth.documents(250, "test")]
    gaps = [truth.log_prob(text) - max(model.log_prob(text), -100.0) for text in texts]
    mean = math.fsum(gaps) / len(gaps)
    error = math.sqrt(math.fsum((gap - mean) ** 2 for gap in gaps) / len(gaps) / (len(gaps) - 1))
    assert mean > -3.5 * error
    assert error < 2.0
