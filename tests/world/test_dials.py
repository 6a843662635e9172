"""What each dial does to the floor, as the docstring of `Dials` says it."""

import math
from itertools import pairwise

import pytest

from llmcourse.world import Floor, World
from llmcourse.world.tape import Distribution

N = 250


def entropy(n: int = N, **dials: object) -> Floor:
    return World(1, **dials).entropy(n)


def difference(higher: Floor, lower: Floor) -> tuple[float, float]:
    """How far apart two floors are, in nats, with the standard error."""
    return higher.nats_per_document - lower.nats_per_document, math.hypot(higher.stderr, lower.stderr)


@pytest.mark.slow
def test_each_name_costs_the_logarithm_of_how_many_people_there_are() -> None:
    gap, error = difference(entropy(n_people=40, plots=("vote",)), entropy(n_people=6, plots=("vote",)))
    names = math.log(40 / 6) + math.log(39 / 5)  # two candidates
    assert error < 0.1
    assert abs(gap - names) < 0.4  # some names are likelier than others, and people differ in how sure they are


@pytest.mark.slow
def test_more_hops_raise_the_floor_by_more_than_the_choice_of_their_number() -> None:
    floors = [entropy(hops=hops, plots=("lend",)) for hops in (1, 3, 6)]
    for (fewer, lower), (more, higher) in pairwise(zip((1, 3, 6), floors, strict=True)):
        gap, error = difference(higher, lower)
        assert gap - math.log((more + 1) / (fewer + 1)) > 4 * error


@pytest.mark.slow
@pytest.mark.parametrize("bias", [0.6, 1.0])
def test_bias_lowers_the_floor_by_what_the_coin_of_a_strangers_pronoun_loses(bias: float) -> None:
    # the same random stream tells the same stories up to the coin, so that the difference is as good as exact
    gap, _ = difference(entropy(100, bias=0.0, plots=("stranger",)), entropy(100, bias=bias, plots=("stranger",)))
    p = 0.5 + bias / 2
    coin = -sum(q * math.log(q) for q in (p, 1 - p) if q > 0)
    assert gap == pytest.approx(math.log(2) - coin, abs=0.02)


def test_bias_changes_no_floor_but_that_of_strangers() -> None:
    texts = [d.text for d in World(1, plots=("vote", "lend")).documents(20)]
    fair, biased = (World(1, bias=bias, plots=("vote", "lend")) for bias in (0.0, 1.0))
    assert fair.floor(texts) == biased.floor(texts)


def test_noise_raises_the_entropy_of_a_choice_to_that_of_an_even_one() -> None:
    def entropies(noise: float) -> list[float]:
        world = World(1, noise=noise)
        made: list[Distribution] = [world.distribution(f"rule {i}", tuple(range(i))) for i in range(2, 12)]
        made.append(world.distribution("told", ("a", "b"), (0.9, 0.1)))
        return [dist.entropy for dist in made]

    steps = [entropies(noise) for noise in (0.0, 0.3, 0.7, 1.0)]
    assert all(a < b for less, more in pairwise(steps) for a, b in zip(less, more, strict=True))
    assert steps[-1] == pytest.approx([math.log(i) for i in [*range(2, 12), 2]])


def test_noise_blurs_the_bias_and_leaves_the_facts() -> None:
    quiet, noisy = World(1), World(1, noise=1.0)
    assert set(noisy.pronoun_probs("smith").values()) == {0.5}
    assert [(p.name, p.job, p.quirk) for p in noisy.people] == [(p.name, p.job, p.quirk) for p in quiet.people]


@pytest.mark.slow
def test_noise_raises_the_floor_of_stories_whose_length_it_leaves_alone() -> None:
    floors = [entropy(noise=noise, plots=("vote",)) for noise in (0.0, 0.4)]
    gap, error = difference(floors[1], floors[0])
    assert gap > 4 * error


@pytest.mark.slow
def test_pairs_held_out_lower_the_floor_of_training_documents_only() -> None:
    world = World(1, held_out=0.5, plots=("contest",))
    assert world.entropy(N) == entropy(plots=("contest",))
    gap, error = difference(world.entropy(N), world.training.entropy(N))
    assert error < 0.1
    assert abs(gap - math.log(2)) < 0.25  # half of the pairs are not quite half of the mass


@pytest.mark.slow
def test_the_floor_is_the_mean_of_the_plots_floors_and_the_entropy_of_choosing_one() -> None:
    everything = World(1)
    shares = everything.distribution("plot", everything.dials.plots)
    alone = [entropy(60, plots=(plot,)) for plot in shares.options]
    expected = shares.entropy + math.fsum(p * f.nats_per_document for p, f in zip(shares.probs, alone, strict=True))
    error = math.sqrt(math.fsum((p * f.stderr) ** 2 for p, f in zip(shares.probs, alone, strict=True)))
    floor = everything.entropy(800)
    assert abs(floor.nats_per_document - expected) < 4 * math.hypot(floor.stderr, error)
    fewer = entropy(400, plots=("vote", "contest", "sign"))
    three = everything.distribution("plot", ("vote", "contest", "sign"))
    means = dict(zip(shares.options, (f.nats_per_document for f in alone), strict=True))
    parts = math.fsum(p * means[plot] for p, plot in zip(three.probs, three.options, strict=True))
    assert fewer.nats_per_document == pytest.approx(three.entropy + parts, abs=4 * fewer.stderr + 0.2)
