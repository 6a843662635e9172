"""The interface of the world: splits, dials, facts, labels and clear errors."""

import math
import re
from collections import Counter

import pytest

from llmcourse.world import World
from llmcourse.world.lexicon import JOBS
from llmcourse.world.template import number_word

LABEL_WORDS = re.compile(
    r"\b(happy|happi\w+|sad|sadly|sadness|anger|angry|angrily|proud|proudly|pride|afraid|calm\w*|excited\w*)\b", re.I
)


def test_fewer_documents_are_the_first_of_more() -> None:
    world = World(1)
    assert [d.text for d in world.documents(5)] == [d.text for d in world.documents(9)][:5]


def test_asking_in_another_order_changes_nothing() -> None:
    one, two = World(3), World(3)
    two.documents(50, "valid")
    two.floor([d.text for d in two.documents(5, "test")])
    assert [d.text for d in one.documents(20)] == [d.text for d in two.documents(20)]


@pytest.mark.slow
def test_splits_and_seeds_share_no_document() -> None:
    world = World(0)
    streams = [world.documents(1000, split, seed) for split in ("train", "valid", "test") for seed in (0, 1)]
    sets = [{d.text for d in stream} for stream in streams]
    assert all(not a & b for i, a in enumerate(sets) for b in sets[:i])


@pytest.mark.slow
def test_documents_are_long_enough_and_rich_enough() -> None:
    documents = World(0).documents(2000)
    forms = {w.lower() for d in documents for w in re.findall(r"[A-Za-z'-]+", d.text)}
    lengths = [len(d.text.split(" ")) for d in documents]
    assert len(forms) >= 600
    assert 80 <= sum(lengths) / len(lengths) <= 110
    assert len({d.labels["plot"] for d in documents}) >= 8


@pytest.mark.slow
def test_text_is_clean_english() -> None:
    for document in World(13).documents(1500):
        text = document.text
        assert not re.search(r"[{}]|  |\ba [aeiou]|\ban (?!hour|honest)[^aeiou]|\b(\w+) \1\b(?! had)", text), text
        assert text.count('"') % 2 == 0, text
        assert text[0].isupper(), text
        assert text[-1] in '."', text
        for sentence in re.split(r"(?<=[.?!]) ", text):
            assert sentence.lstrip('"')[0].isupper(), text


def test_stories_get_the_facts_right() -> None:
    world = World(6)
    jobs = {p.name: p.job.name for p in world.people}
    pairs = re.findall(r"\b([A-Z][a-z]+) the ([a-z]+)\b", " ".join(d.text for d in world.documents(800)))
    pairs = [(name, job) for name, job in pairs if name in jobs]
    assert len(pairs) > 800
    assert all(jobs[name] == job for name, job in pairs)


def test_a_false_fact_is_impossible() -> None:
    world = World(6)
    text = next(d.text for d in world.documents(50) if " the " in d.text)
    name, job = re.search(r"([A-Z][a-z]+) the ([a-z]+)", text).groups()
    other = next(j.name for j in JOBS if j.name != job)
    assert world.log_prob(text.replace(f"{name} the {job}", f"{name} the {other}")) == -math.inf


def test_half_of_the_people_are_she_and_half_he() -> None:
    for n in (6, 16, 40):
        counts = Counter(p.pronoun for p in World(2, n_people=n).people)
        assert counts["she"] == counts["he"] == n // 2


@pytest.mark.slow
def test_the_planted_bias_is_what_strangers_show() -> None:
    world = World(0, bias=0.8, plots=("stranger",))
    documents = world.documents(8000)
    counts = Counter((d.labels["job"], d.labels["pronoun"]) for d in documents)
    chi2 = 0.0
    for job in JOBS:
        n = counts[job.name, "she"] + counts[job.name, "he"]
        p = world.pronoun_probs(job)["she"]
        assert p in (pytest.approx(0.9), pytest.approx(0.1))
        chi2 += (counts[job.name, "she"] - n * p) ** 2 / (n * p * (1 - p))
    assert chi2 < len(JOBS) + 5 * math.sqrt(2 * len(JOBS))


def test_bias_is_exact_in_the_next_word() -> None:
    world = World(0, bias=0.5)
    for job in ("doctor", "smith"):
        prefix = f"On a windy Monday, a {job} from the capital came to the village."
        probs = world.next_word_probs(prefix)
        assert probs["She"] == pytest.approx(world.pronoun_probs(job)["she"], abs=1e-12)


@pytest.mark.slow
def test_promises_are_kept_as_often_as_their_makers_are_reliable() -> None:
    world = World(0, n_people=6, plots=("lend",), hops=1)
    made: Counter = Counter()
    kept: Counter = Counter()
    for document in world.documents(4000):
        maker = next(a for _, q, a in document.labels["questions"] if q.startswith("Who promised"))
        made[maker] += 1
        kept[maker] += document.labels["kept"]
    for person in world.people:
        n, p = made[person.name], person.reliability
        assert abs(kept[person.name] - n * p) < 4.5 * math.sqrt(n * p * (1 - p))


@pytest.mark.slow
def test_more_hops_pass_things_on_more_often() -> None:
    for hops in (1, 4):
        found = Counter(d.labels["hops"] for d in World(0, hops=hops, plots=("lend",)).documents(2000))
        assert set(found) == set(range(hops + 1))
        expected = 2000 / (hops + 1)
        assert all(abs(n - expected) < 5 * math.sqrt(expected) for n in found.values())


@pytest.mark.slow
def test_mood_records_never_say_a_mood() -> None:
    world = World(0)
    records = world.task("mood", 2000)
    assert not [r.text for r in records if LABEL_WORDS.search(r.text)]
    counts = Counter(r.label for r in records)
    assert set(counts) == set(world.moods)
    assert min(counts.values()) > 40


@pytest.mark.slow
def test_the_best_possible_mood_classifier_is_good_but_not_perfect() -> None:
    world = World(0)
    hits = 0.0
    records = world.task("mood", 300, "test")
    for record in records:
        probs = world.label_probs(record.text, "mood")
        hits += max(probs, key=probs.get) == record.label
    assert 0.85 < hits / len(records) < 1.0


@pytest.mark.slow
def test_instruction_answers_are_true() -> None:
    world = World(0)
    jobs = {p.name: p.job.forms["a"] for p in world.people}
    kinds = Counter()
    for record in world.task("instructions", 1500):
        kinds[record.kind] += 1
        assert record.text.endswith(record.instruction)
        assert record.instruction.endswith("?")
        assert 0 < len(record.answer.split(" ")) <= 12
        if match := re.fullmatch(r"What does (\w+) do for a living\?", record.instruction):
            assert record.answer == f"{match[1]} is {jobs[match[1]]}."
        if record.kind in ("who", "how many") and record.answer not in ("one",):
            assert record.answer.lower() in record.text.lower() or "given the key" in record.instruction
    assert {"who", "where", "how many", "yes-no", "when", "what", "job", "place", "quirk"} <= set(kinds)


def test_nobody_plays_two_parts() -> None:
    for document in World(0, n_people=6, plots=("lend", "contest", "rumour", "key"), hops=3).documents(300):
        introduced = re.findall(r"\b([A-Z][a-z]+) the [a-z]+\b", document.text)
        people = [name for name in introduced if name in document.labels["people"]]
        assert len(people) == len(set(people)), document.text


def test_a_rumour_doubles_three_times() -> None:
    for document in World(0, plots=("rumour",)).documents(200):
        assert document.labels["last"] == 8 * document.labels["first"]
        assert number_word(document.labels["last"]) in document.text.lower()


@pytest.mark.parametrize(
    "dials",
    [
        {"n_people": 5},
        {"n_people": 41},
        {"n_people": 7.5},
        {"hops": 0},
        {"hops": True},
        {"bias": 1.1},
        {"noise": -0.1},
        {"noise": float("nan")},
        {"plots": ()},
        {"plots": ("opera",)},
        {"size": 3},
    ],
    ids=str,
)
def test_a_dial_out_of_range_is_one_clear_line(dials: dict) -> None:
    with pytest.raises(ValueError, match=next(iter(dials))) as error:
        World(0, **dials)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda w: w.task("poems", 3), "mood, instructions"),
        (lambda w: w.documents(3, "dev"), "train, valid, test"),
        (lambda w: w.documents(-1), "n=-1"),
        (lambda w: w.next_word_probs("Once upon a time"), "opens with 'Once'"),
        (lambda w: w.next_word_probs("On a rainy  Monday,"), "single spaces"),
        (lambda w: w.parse("On a rainy Monday, turbines"), "word 5, 'turbines'"),
        (lambda w: w.parse("On a rainy Monday,"), "does not end"),
        (lambda w: w.parse(""), "not empty"),
        (lambda w: w.floor([]), "at least one"),
        (lambda w: w.floor(["On a rainy Monday, turbines"]), "'turbines'"),
        (lambda w: w.pronoun_probs("pirate"), "pirate"),
    ],
)
def test_bad_input_is_one_clear_line(call, message: str) -> None:
    with pytest.raises(ValueError, match=message) as error:
        call(World(0))
    assert "\n" not in str(error.value)


def test_the_first_impossible_word_is_named_wherever_it_stands() -> None:
    world = World(0)
    words = world.documents(1)[0].text.split(" ")
    for i in (0, 1, 7, len(words) // 2, len(words) - 1):
        wrong = [*words[:i], "turbine", *words[i + 1 :]]
        with pytest.raises(ValueError, match="'turbine'"):
            world.parse(" ".join(wrong))


def test_a_text_with_two_spaces_in_a_row_is_impossible():
    world = World(0)
    text = world.documents(1)[0].text
    assert world.log_prob(text) > -math.inf
    assert world.log_prob(text.replace(" ", "  ", 1)) == -math.inf
