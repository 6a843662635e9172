"""Traps that a world of exact probabilities falls into without a sound; each is held open here."""

import ast
import hashlib
import math
from pathlib import Path
from random import Random

import pytest

import llmcourse.world
from llmcourse.world import World
from llmcourse.world.lexicon import DAYS, SKIES, Phrase, phrases
from llmcourse.world.story import Story
from llmcourse.world.tape import Distribution, SampleTape
from llmcourse.world.weights import added, stable_uniform
from tests.world.toy import toy, world_that_tells

PACKAGE = Path(llmcourse.world.__file__).parent
SOURCES = {str(path.relative_to(PACKAGE)): path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}
TELLING = [name for name in SOURCES if name.startswith("plots") or name in ("codas.py", "story.py", "quirks.py")]


def names_in(source: str) -> set[str]:
    """Every name, attribute and module that the source uses, and "{}" for a set in braces."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {alias.name for alias in node.names} | {getattr(node, "module", "")}
        elif isinstance(node, ast.Set | ast.SetComp):
            found.add("{}")
    return found


def methods_called_in(source: str) -> set[str]:
    """Every method that the source calls."""
    calls = (node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return {function.attr for function in calls if isinstance(function, ast.Attribute)}


@pytest.mark.parametrize("name", TELLING)
def test_plots_use_no_chance_set_order_clock_or_address_of_their_own(name: str) -> None:
    banned = {"random", "Random", "secrets", "time", "datetime", "os", "uuid", "set", "frozenset", "hash", "id", "{}"}
    assert names_in(SOURCES[name]) & banned == set()


def test_a_clock_and_a_set_would_be_seen() -> None:
    assert {"time", "{}"} <= names_in("import time\nfor x in {1, 2}: pass")
    assert {"random", "choice"} <= names_in("import random as r; r.choice([1])")
    assert methods_called_in("tape.choices.append(r.choice([1]))") == {"append", "choice"}


@pytest.mark.parametrize("name", list(SOURCES))
def test_nothing_is_drawn_but_by_a_number_in_the_unit_interval(name: str) -> None:
    # the other methods of a random stream may change from one Python version to the next
    others = {"choice", "choices", "shuffle", "sample", "randint", "randrange", "uniform", "gauss", "getrandbits"}
    assert methods_called_in(SOURCES[name]) & others == set()


@pytest.mark.parametrize(
    ("u", "index"), [(0.0, 0), (0.2499, 0), (0.25, 2), (0.7499, 2), (0.75, 3), (math.nextafter(1.0, 0.0), 3)]
)
def test_an_option_is_where_the_cumulative_distribution_passes_the_number(u: float, index: int) -> None:
    assert Distribution("rule", "abcde", (0.25, 0.0, 0.5, 0.25, 0.0)).index_at(u) == index


def test_rounding_leaves_no_gap_below_one() -> None:
    tenths = Distribution("rule", range(11), (0.1,) * 10 + (0.0,))
    assert added(tenths.probs) < 1.0  # ten tenths are a little less than one
    assert tenths.index_at(math.nextafter(1.0, 0.0)) == 9


def test_sums_go_from_left_to_right_whatever_python_does() -> None:
    assert added([1.0, 1e100, 1.0, -1e100]) == 0.0  # Python 3.12's own sum is 2.0
    assert added([]) == 0.0


def test_a_long_used_world_says_what_a_fresh_one_says() -> None:
    used = World(8, hops=3, held_out=0.2)
    texts = [d.text for d in used.documents(25, "test")]
    World(9, hops=3).floor([d.text for d in World(9, hops=3).documents(10)])  # what modules keep is shared by worlds
    for told in (used, used.training):
        told.entropy(10)
    for text in texts[::4]:
        fresh = World(8, hops=3, held_out=0.2)
        assert used.log_prob(text) == fresh.log_prob(text)
        assert used.training.log_prob(text) == fresh.training.log_prob(text)
        prefix = " ".join(text.split(" ")[:20])
        assert used.next_word_probs(prefix) == World(8, hops=3, held_out=0.2).next_word_probs(prefix)


def test_what_is_kept_is_kept_under_all_that_it_was_made_from() -> None:
    world = World(8)
    for document in world.documents(60):
        world.log_prob(document.text)
    fresh = World(8)
    keys = [key for key in world._distributions if key[0] != "exact"]
    assert len(keys) > 50
    for key in reversed(keys):
        assert fresh.distribution(*key).probs == world._distributions[key].probs
    for cast in [*world._people_but, world.people[2:4], world.people[2:5]]:
        assert world.people_but(cast).options == tuple(p for p in world.people if p not in cast)


def test_one_person_in_many_slots_is_scored_in_each_form_apart() -> None:
    def forms(s: Story) -> None:
        s.let(a=s.someone, b=s.someone, c=s.someone, d=s.someone)
        s.say("toy.forms", '{a} met {b.full}. "{c}," {a.he} said, "is {d.poss}."', "{d} and {c}, {b} and {a.poss} dog.")

    world = world_that_tells(forms)
    for document in world.documents(4):
        assert sum(map(math.log, drawn(world, document.text))) == pytest.approx(world.log_prob(document.text), abs=1e-9)


def drawn(world: World, text: str) -> list[float]:
    """The probability of each word of a text, given those before it."""
    words = text.split(" ")
    return [world.next_word_probs(" ".join(words[:i]))[word] for i, word in enumerate([*words, ""])]


def test_a_wording_may_be_mended_without_a_change_of_its_probability() -> None:
    typo, mended = World(3), World(3)
    before, _ = typo.wordings("toy.rule", ("It was latte.", "Nobody came."))
    after, _ = mended.wordings("toy.rule", ("It was late.", "Nobody came."))
    assert before.probs == after.probs
    assert before.probs[0] != before.probs[1]


def test_a_phrase_may_be_mended_without_a_change_of_its_probability() -> None:
    before, after = phrases("under the bedd", "on the roof"), phrases("under the bed", "on the roof")
    assert World(3).distribution("toy.spot", before).probs == World(3).distribution("toy.spot", after).probs
    assert isinstance(after[0], Phrase)
    assert before != after


def test_a_rule_is_not_used_for_two_sets_of_templates() -> None:
    world = World(3)
    world.wordings("toy.rule", ("It was late.",))
    with pytest.raises(AssertionError, match=r"toy\.rule"):
        world.wordings("toy.rule", ("It was early.",))


class Pieces(SampleTape):
    """Looks at each piece as it comes."""

    def emit(self, words: tuple[str, ...]) -> None:
        assert words
        assert all(word and not set(word) & set(" \t\n") for word in words)
        super().emit(words)


def test_each_piece_is_whole_words() -> None:
    world = World(5, hops=3)
    for i in range(150):
        tape = Pieces(Random(i))
        world._tell(Story(world, tape))
        assert " ".join(tape.words).split(" ") == tape.words


def test_joint_probabilities_do_not_underflow() -> None:
    n = 300

    def long(s: Story) -> None:
        for _ in range(n):
            s.let(d=s.one_of("day", DAYS), w=s.one_of("sky", SKIES))
            s.say("toy.long", "{d} was {w}.", "On {d} it was {w}.")

    world = world_that_tells(long)
    document, tape = world._draw(Random(1))
    assert tape.log_prob < -1000  # exp(-745) is already 0
    assert world.log_prob(document.text) == pytest.approx(tape.log_prob, rel=1e-12)
    words = document.text.split(" ")
    probs = world.next_word_probs(" ".join(words[:-1]))
    assert math.fsum(probs.values()) == pytest.approx(1.0)
    assert probs[words[-1]] > 0
    assert world.floor([document.text]).nats_per_document == pytest.approx(-tape.log_prob)


def test_two_ways_to_an_underflowing_text_still_add_up() -> None:
    def twice(s: Story) -> None:
        s.choose("toy.unseen", ("a", "b"), (0.5, 0.5))
        for _ in range(300):
            s.let(d=s.one_of("day", DAYS), w=s.one_of("sky", SKIES))
            s.say("toy.long", "{d} was {w}.")

    world = world_that_tells(twice)
    document, tape = world._draw(Random(1))
    assert world.log_prob(document.text) == pytest.approx(tape.log_prob + math.log(2), rel=1e-12)


def test_a_single_document_may_score_below_its_own_probability_and_the_average_may_not() -> None:
    truth, other = world_that_tells(toy), world_that_tells(toy, noise=0.8)
    texts = [d.text for d in truth.documents(400)]
    gaps = [truth.log_prob(text) - other.log_prob(text) for text in texts]
    assert min(gaps) < -0.1
    assert sum(gaps) > 0


def test_weights_run_from_a_half_to_two_and_hang_on_their_names_alone() -> None:
    weights = [World(seed).weight("toy", i) for seed in range(3) for i in range(200)]
    assert 0.5 <= min(weights) < 0.55
    assert 1.95 < max(weights) < 2.0
    digest = hashlib.sha256(b"1/a").hexdigest()
    assert stable_uniform(1, "a") == (int(digest[:16], 16) >> 11) / 2**53
