"""Combinations that training documents never show: masked where they would be drawn, with exact odds on both sides."""

import math
import re
from collections import Counter

import pytest

from llmcourse.world import World
from llmcourse.world.held_out import held_out_pairs
from llmcourse.world.lexicon import THINGS
from llmcourse.world.people import inhabitants
from tests.world.test_oracle import Letters
from tests.world.toy import enumerate_texts, toy_with_things, world_that_tells

LENDER = re.compile(r"Whose ([\w ]+) was it\?")


def small(held_out: float) -> World:
    return world_that_tells(toy_with_things, held_out=held_out)


@pytest.mark.slow
def test_both_sides_of_an_enumerated_world_have_mass_one() -> None:
    world = small(0.5)
    for told in (world, world.training):
        texts = enumerate_texts(told)
        logs = {text: told.log_prob(text) for text in texts}
        assert math.fsum(map(math.exp, logs.values())) == pytest.approx(1.0, abs=1e-12)
        assert all(math.exp(logs[text]) == pytest.approx(p, rel=1e-9) for text, p in texts.items())
    assert texts.keys() < enumerate_texts(world).keys()


@pytest.mark.slow
def test_what_training_cannot_say_is_what_has_a_pair_that_is_held_out() -> None:
    world = small(0.4)
    pairs = set(world.held_out)
    for text in enumerate_texts(world):
        truth = world.parse(text).labels
        assert truth["held_out"] == any((truth["main"], thing) in pairs for thing in truth["things"])
        assert (world.training.log_prob(text) == -math.inf) == truth["held_out"]


def test_what_is_left_keeps_its_odds() -> None:
    world = World(3, held_out=0.4)
    pairs = set(world.held_out)
    things, people = world.distribution("lend.thing", THINGS), world.people_but(world.people[:2])
    for dist, other, pair_of in (
        (things, world.people[2], lambda option: (world.people[2].name, option.key)),
        (people, THINGS[3], lambda option: (option.name, THINGS[3].key)),
    ):
        left = world.apart(dist, other)
        assert left.options == dist.options
        barred = [pair_of(option) in pairs for option in dist.options]
        assert 0 < sum(barred) < len(barred)
        assert [p == 0 for p in left.probs] == barred
        share = math.fsum(p for p, out in zip(dist.probs, barred, strict=True) if not out)
        kept = [(p, q) for p, q in zip(dist.probs, left.probs, strict=True) if q > 0]
        assert all(q == pytest.approx(p / share, rel=1e-12) for p, q in kept)


@pytest.mark.slow
def test_sampled_training_texts_come_as_often_as_their_log_prob_says() -> None:
    world = small(0.4)
    n = 8_000
    counts = Counter(document.text for document in world.documents(n, "train"))
    texts = enumerate_texts(world.training)
    assert set(counts) <= set(texts)
    cells = [(counts[text], n * p) for text, p in texts.items() if n * p >= 5]
    assert len(cells) > 100
    # six standard deviations of a chi-squared with as many degrees of freedom
    assert sum((c - e) ** 2 / e for c, e in cells) < len(cells) + 6 * math.sqrt(2 * len(cells))


@pytest.mark.slow
def test_no_training_document_has_a_pair_that_is_held_out_and_others_have_their_share() -> None:
    world = World(2, held_out=0.3, plots=("lend",))
    pairs = set(world.held_out)
    shares = {}
    for split in ("train", "valid", "test"):
        lent = []
        for document in world.documents(1000, split):
            lender = next((a, m[1]) for _, q, a in document.labels["questions"] if (m := LENDER.fullmatch(q)))
            lent.append(lender in pairs)
            assert document.labels["held_out"] == lent[-1]
        shares[split] = sum(lent) / len(lent)
    assert shares["train"] == 0
    # weights run from 0.5 to 2, so that a share of the pairs is only roughly that share of the mass
    assert 0.2 < shares["valid"] < 0.4
    assert 0.2 < shares["test"] < 0.4


@pytest.mark.slow
def test_every_plot_keeps_the_pairs_apart_and_both_scores_are_exact() -> None:
    world = World(2, held_out=0.5, n_people=6, hops=1)
    training = world.training
    kinds = Counter()
    for document in world.documents(150, "test"):
        kinds[document.labels["held_out"]] += 1
        assert (training.log_prob(document.text) == -math.inf) == document.labels["held_out"]
    assert min(kinds[True], kinds[False]) > 20
    for document in world.documents(80, "train"):
        assert not document.labels["held_out"]
        assert training.log_prob(document.text) >= world.log_prob(document.text) - 1e-9
    words = document.text.split(" ")
    steps = [training.next_word_probs(" ".join(words[:i]))[word] for i, word in enumerate([*words, ""])]
    assert math.fsum(map(math.log, steps)) == pytest.approx(training.log_prob(document.text), abs=1e-9)


@pytest.mark.slow
def test_training_documents_have_the_floor_of_the_world_that_they_come_from() -> None:
    world = World(1, held_out=0.5)
    floor = world.training.floor([d.text for d in world.documents(250, "train")])
    entropy = world.training.entropy(250)
    assert abs(floor.nats_per_document - entropy.nats_per_document) < 4 * math.hypot(floor.stderr, entropy.stderr)


def test_only_the_training_split_knows_of_the_dial() -> None:
    plain, world = World(4), World(4, held_out=0.25)
    for split in ("valid", "test"):
        assert [d.text for d in plain.documents(20, split)] == [d.text for d in world.documents(20, split)]
    text = plain.documents(1, "test")[0].text
    assert world.log_prob(text) == plain.log_prob(text)
    assert [d.text for d in plain.documents(40)] != [d.text for d in world.documents(40)]


def test_with_nothing_held_out_training_is_the_world_itself() -> None:
    world = World(4)
    assert world.training is world
    assert world.held_out == ()
    assert "held_out" not in world.documents(1)[0].labels


def test_the_world_of_the_training_split_is_its_own_training_world() -> None:
    world = World(4, held_out=0.5)
    assert world.training is world.training is world.training.training
    assert repr(world.training) == f"{world!r}.training"


@pytest.mark.parametrize("held_out", [0.05, 0.3, 0.5])
def test_everybody_loses_the_same_share_of_things_and_no_thing_loses_everybody(held_out: float) -> None:
    for n in range(6, 41):
        people = inhabitants(1, n)
        pairs = held_out_pairs(1, people, held_out)
        assert len(set(pairs)) == len(pairs)
        things = Counter(person for person, _ in pairs)
        losses = Counter(thing for _, thing in pairs)
        assert {things[person] for person in people} == {round(held_out * len(THINGS))}
        # the other one of a pair of people may be in the story before the main person
        assert max(losses.values()) <= n - 2


def test_tasks_of_the_training_split_are_told_without_the_pairs_too() -> None:
    world = World(2, held_out=0.5, plots=("lend",))
    records = world.task("instructions", 300)
    stories = [story for r in records if (story := r.text.removesuffix(r.instruction).strip())]
    assert len(stories) > 100
    assert all(world.training.log_prob(story) > -math.inf for story in stories)


def test_each_side_has_its_own_token_probabilities() -> None:
    world, tokenizer = small(0.5), Letters()
    ids = [0, *tokenizer.encode(f"{world.people[0].name} has a")]
    full = world.next_token_probs(ids, tokenizer)
    masked = world.training.next_token_probs(ids, tokenizer)
    assert masked.keys() < full.keys()
    assert math.fsum(masked.values()) == pytest.approx(1.0)
    assert world.next_token_probs(ids, tokenizer) == full
