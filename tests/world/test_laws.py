"""Laws that hold for every world: probabilities sum to one, and every route to a number gives the same number."""

import math
from collections import Counter
from itertools import pairwise
from random import Random

import pytest

from llmcourse.world import World
from llmcourse.world.story import Story
from llmcourse.world.tape import SampleTape, ScanTape
from tests.world.toy import enumerate_texts, toy, world_that_tells

DIALS = [{}, {"n_people": 6, "hops": 4, "noise": 0.3, "bias": 1.0}, {"n_people": 40, "bias": 0.0}, {"noise": 1.0}]


@pytest.fixture
def toy_world() -> World:
    return world_that_tells(toy)


@pytest.mark.slow
def test_the_mass_of_an_enumerated_world_is_one(toy_world: World) -> None:
    texts = enumerate_texts(toy_world)
    assert len(texts) > 300
    assert math.fsum(math.exp(toy_world.log_prob(text)) for text in texts) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.slow
def test_log_prob_equals_the_product_over_every_enumerated_text(toy_world: World) -> None:
    for text, mass in enumerate_texts(toy_world).items():
        assert math.exp(toy_world.log_prob(text)) == pytest.approx(mass, rel=1e-9)


@pytest.mark.slow
def test_samples_come_as_often_as_log_prob_says(toy_world: World) -> None:
    n = 20_000
    counts = Counter(document.text for document in toy_world.documents(n))
    texts = enumerate_texts(toy_world)
    assert set(counts) <= set(texts)
    chi2 = sum((counts[t] - n * p) ** 2 / (n * p) for t, p in texts.items() if n * p >= 5)
    cells = sum(n * p >= 5 for p in texts.values())
    # six standard deviations of a chi-squared with as many degrees of freedom
    assert cells > 100
    assert chi2 < cells + 6 * math.sqrt(2 * cells)


@pytest.mark.parametrize("dials", DIALS, ids=str)
def test_next_word_probs_sum_to_one_and_multiply_up_to_log_prob(dials: dict) -> None:
    world = World(3, **dials)
    for document in world.documents(3, "test"):
        words = document.text.split(" ")
        total = 0.0
        for i, word in enumerate([*words, ""]):
            probs = world.next_word_probs(" ".join(words[:i]))
            assert math.fsum(probs.values()) == pytest.approx(1.0, abs=1e-12)
            total += math.log(probs[word])
        assert total == pytest.approx(world.log_prob(document.text), abs=1e-9)


@pytest.mark.parametrize("plot", World().dials.plots)
def test_every_plot_is_scored_at_least_as_likely_as_the_derivation_that_drew_it(plot: str) -> None:
    world = World(9, plots=(plot,), hops=3)
    for i in range(20):
        tape = SampleTape(Random(i))
        world._tell(Story(world, tape))
        text = " ".join(tape.words)
        parse = world.parse(text)
        assert parse.log_prob >= tape.log_prob - 1e-9
        if parse.n_derivations == 1:
            assert parse.log_prob == pytest.approx(tape.log_prob, abs=1e-9)
            assert parse.choices == tuple(tape.choices)


def test_two_derivations_of_one_text_add_up(toy_world: World) -> None:
    tape = ScanTape(["It", "was", "late."], open_end=False)
    found = tape.search(Story(toy_world, tape), toy)
    assert len(found) == 3
    assert toy_world.log_prob("It was late.") == pytest.approx(math.log(sum(math.exp(log) for log, _, _ in found)))


def test_the_end_counts_once_and_a_prefix_is_no_document() -> None:
    world = World(4)
    text = world.documents(1)[0].text
    assert world.log_prob(" ".join(text.split(" ")[:-1])) == -math.inf
    assert world.log_prob(text + " " + text) == -math.inf
    assert world.log_prob("") == -math.inf
    assert world.next_word_probs(text)[""] > 0


@pytest.mark.slow
def test_entropy_agrees_with_the_mean_floor() -> None:
    world = World(1)
    floor, entropy = world.floor([d.text for d in world.documents(400, "valid")]), world.entropy(400)
    error = math.hypot(floor.stderr, entropy.stderr)
    assert abs(floor.nats_per_document - entropy.nats_per_document) < 4 * error


def test_floor_is_the_mean_of_minus_log_prob_in_both_units() -> None:
    world = World(1)
    texts = [d.text for d in world.documents(7)]
    nats = [-world.log_prob(t) for t in texts]
    floor = world.floor(texts)
    assert floor.n_documents == 7
    assert floor.nats_per_document == pytest.approx(sum(nats) / 7)
    assert floor.bits_per_byte == pytest.approx(sum(nats) / math.log(2) / sum(len(t.encode()) for t in texts))


@pytest.mark.slow
def test_no_wrong_model_scores_below_the_floor_beyond_its_error() -> None:
    truth, other = World(1), World(1, noise=1.0)
    texts = [d.text for d in truth.documents(300, "test")]
    gaps = [truth.log_prob(t) - other.log_prob(t) for t in texts]
    mean = sum(gaps) / len(gaps)
    error = math.sqrt(sum((g - mean) ** 2 for g in gaps) / len(gaps) / (len(gaps) - 1))
    assert mean > 4 * error


@pytest.mark.slow
def test_a_byte_tells_more_the_more_noise_there_is() -> None:
    # documents get shorter with noise, for optional remarks are told less often; so compare bits per byte
    floors = [World(1, noise=noise).entropy(150) for noise in (0.0, 0.5, 1.0)]
    assert all(a.bits_per_byte < b.bits_per_byte for a, b in pairwise(floors))


def test_label_probs_are_the_posterior_over_derivations() -> None:
    world = World(1)
    shared = [d for d in world.documents(200) if len(world.label_probs(d.text, "mood")) > 1]
    assert shared
    for document in shared[:10]:
        probs = world.label_probs(document.text, "mood")
        assert math.fsum(probs.values()) == pytest.approx(1.0)
        assert document.labels["mood"] in probs
