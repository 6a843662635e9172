"""Bad input is one clear line that names the rule, and a text is read up to its first impossible word."""

import math
import re
import time

import pytest

from llmcourse.world import World

START = "On a rainy Monday,"


@pytest.fixture(scope="module")
def world() -> World:
    return World(0)


@pytest.fixture(scope="module")
def text(world: World) -> str:
    return next(d.text for d in world.documents(50) if d.text.startswith("On a"))


@pytest.mark.parametrize(
    ("dials", "message"),
    [
        ({"held_out": 0.6}, "held_out is a number from 0 to 0.5: held_out=0.6"),
        ({"held_out": -0.1}, "held_out is a number from 0 to 0.5: held_out=-0.1"),
        ({"held_out": "some"}, "held_out is a number from 0 to 0.5: held_out='some'"),
        ({"n_people": "many"}, "n_people is a whole number from 6 to 40: n_people='many'"),
        ({"hops": 2.0}, "hops is a whole number from 1 to 6: hops=2.0"),
        ({"hops": 7}, "hops is a whole number from 1 to 6: hops=7"),
        ({"bias": None}, "bias is a number from 0 to 1: bias=None"),
        ({"noise": float("nan")}, "noise is a number from 0 to 1: noise=nan"),
        ({"noise": True}, "noise is a number from 0 to 1: noise=True"),
        ({"plots": "vote"}, "each once: plots='vote'"),
        ({"plots": 3}, "each once: plots=3"),
        ({"plots": ("vote", "vote")}, "each once: plots=('vote', 'vote')"),
        ({"plots": ("vote", ["lend"])}, "each once: plots=('vote', ['lend'])"),
        ({"size": 3}, "the dials are n_people, hops, bias, noise, held_out, plots: 'size' is not one"),
    ],
    ids=str,
)
def test_a_dial_out_of_range_says_what_the_range_is(dials: dict, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)) as error:
        World(0, **dials)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda w: w.documents(2.5), "n is a whole number, 0 or more: n=2.5"),
        (lambda w: w.documents(-1), "n is a whole number, 0 or more: n=-1"),
        (lambda w: w.documents(1, "dev"), "splits are train, valid, test: split='dev'"),
        (lambda w: w.task("mood", "ten"), "n is a whole number, 0 or more: n='ten'"),
        (lambda w: w.task("mood", 1, "dev"), "splits are train, valid, test: split='dev'"),
        (lambda w: w.entropy(0), "n is a whole number, 1 or more: n=0"),
        (lambda w: w.log_prob(3), "a text is a string, not int: 3"),
        (lambda w: w.log_prob(b"On a"), "a text is a string, not bytes: b'On a'"),
        (lambda w: w.parse(None), "a text is a string, not NoneType: None"),
        (lambda w: w.next_word_probs(["On"]), "a text is a string, not list: ['On']"),
        (lambda w: w.floor(START), f"a floor takes a list of texts, not one text: {START!r}"),
        (lambda w: w.floor([]), "a floor needs at least one text"),
        (lambda w: w.floor([START]), "the world does not end a document after 'Monday,'"),
        (lambda w: w.label_probs(START, "mood"), "the world does not end a document after 'Monday,'"),
        (lambda w: w.next_word_probs("On a \ud800"), r"word 3, '\ud800', cannot follow 'On a'"),
        (lambda w: w.next_word_probs("On a\nrainy"), r"word 2, 'a\nrainy', cannot follow 'On'"),
    ],
)
def test_a_call_that_makes_no_sense_is_one_clear_line(world: World, call, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)) as error:
        call(world)
    assert "\n" not in str(error.value)


def test_an_unknown_task_is_answered_with_the_known_ones(world: World) -> None:
    with pytest.raises(ValueError, match=r"mood.*'poems'") as error:
        world.task("poems", 3)
    assert "\n" not in str(error.value)


def test_an_unknown_label_is_answered_with_those_of_the_text(world: World, text: str) -> None:
    with pytest.raises(ValueError, match=r"labels of this text are .*plot.*: 'colour' is not one") as error:
        world.label_probs(text, "colour")
    assert "\n" not in str(error.value)


def test_no_documents_are_no_error(world: World) -> None:
    assert world.documents(0) == []
    assert world.task("mood", 0) == []


def test_a_text_cut_in_the_middle_of_a_word_is_wrong_at_that_word(world: World, text: str) -> None:
    words = text.split(" ")
    place = next(
        i for i, word in enumerate(words) if i > 8 and word[:-1] not in world.next_word_probs(" ".join(words[:i]))
    )
    cut = " ".join(words[: place + 1])[:-1]
    with pytest.raises(ValueError, match=rf"^word {place + 1}, {re.escape(repr(words[place][:-1]))}, cannot follow"):
        world.parse(cut)
    assert world.log_prob(cut) == -math.inf


def test_a_text_cut_between_two_words_does_not_end_there(world: World, text: str) -> None:
    cut = text.rsplit(" ", 20)[0]
    with pytest.raises(ValueError, match=rf"does not end a document after {re.escape(repr(cut.split(' ')[-1]))}"):
        world.parse(cut)
    assert world.next_word_probs(cut)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda t: t + " ", r"^word \d+, '', cannot follow .*: words are parted by single spaces, with none at either"),
        (lambda t: " " + t, r"^no document opens with '': words are parted by single spaces"),
        (lambda t: t.replace(" ", "  ", 1), r"^word 2, '', cannot follow 'On': words are parted by single spaces"),
        (lambda t: t.replace(" ", "\t", 1), r"^no document opens with 'On\\ta'"),
        (lambda t: "turbine  " + t, r"^no document opens with 'turbine'\.$"),
        (lambda t: t + " Turbine", r"^word \d+, 'Turbine', cannot follow"),
        (lambda t: t + " " + t, r"^word \d+, 'On', cannot follow"),
        (lambda t: " ", r"^no document opens with '': words are parted"),
        (lambda t: "", r"^a document is not empty\.$"),
    ],
)
def test_a_spoilt_text_is_wrong_at_its_first_impossible_word(world: World, text: str, spoil, message: str) -> None:
    with pytest.raises(ValueError, match=message) as error:
        world.parse(spoil(text))
    assert "\n" not in str(error.value)
    assert world.log_prob(spoil(text)) == -math.inf


def test_a_prefix_with_a_space_behind_it_is_no_prefix(world: World) -> None:
    with pytest.raises(ValueError, match=r"^word 5, '', cannot follow .*single spaces"):
        world.next_word_probs(f"{START} ")


def test_the_choices_of_a_parse_tell_the_labels(world: World) -> None:
    for document in world.documents(10, "test"):
        parse = world.parse(document.text)
        assert parse.log_prob == world.log_prob(document.text)
        if parse.n_derivations == 1:
            assert parse.labels == document.labels
        plot = next(world.dials.plots[i] for rule, i in parse.choices if rule == "plot")
        assert plot == parse.labels["plot"]


def test_the_floor_of_one_text_has_no_error_to_speak_of(world: World, text: str) -> None:
    floor = world.floor([text])
    assert floor.stderr == math.inf
    assert floor.nats_per_document == -world.log_prob(text)


@pytest.mark.slow
def test_twenty_megabytes_a_minute_and_more_are_drawn_on_one_core() -> None:
    world = World(0)
    world.documents(200)  # distributions and templates are made when they are first used
    start = time.process_time()
    n_bytes = sum(len(d.text.encode()) for d in world.documents(2000, "test"))
    assert n_bytes / (time.process_time() - start) * 60 >= 20e6  # some 200e6 where this was written
