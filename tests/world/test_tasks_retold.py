"""Summaries and paraphrases: the world reads a story, and what it finds there is what the record claims."""

import re
from collections import Counter
from random import Random

import pytest

from llmcourse.world import World
from llmcourse.world.plots import PLOTS
from llmcourse.world.tasks.entities import spans
from llmcourse.world.tasks.paraphrases import REWORDED, retell, truth
from llmcourse.world.tasks.summaries import SUMMARIES
from llmcourse.world.tasks.telling import OffScript, Retelling, Telling, newcomers, shuffled, tell
from llmcourse.world.template import number_word
from tests.world.claims import CLAIMS


@pytest.fixture(scope="module")
def world() -> World:
    return World(0)


def telling(world: World, seed: int) -> Telling:
    return tell(world, Random(seed))


# -- summaries -------------------------------------------------------------------------------------------------------
def holds(key: str, value: object, text: str, labels: dict) -> bool:
    """Whether the world's reading of a story bears out one claim."""
    answers = {question: answer for _, question, answer in labels["questions"]}
    if key == "answer":
        return value in answers.values()
    if key == "people":
        return value in labels["people"]
    if key == "text":
        return str(value).lower() in text.lower()
    found = answers[key] if key.endswith("?") else labels[key]
    if isinstance(found, int) and not isinstance(found, bool):
        found = number_word(found)
    return value is ... or found == value


def check_summary(plot: str, text: str, summary: str, labels: dict) -> None:
    sentences = re.split(r'(?<=[."]) (?=[A-Z])', summary)
    assert len(sentences) == 2, summary
    for sentence in sentences:
        found = [(match, claims) for p, claims in CLAIMS[plot] if (match := re.fullmatch(p, sentence))]
        assert found, f"nobody knows what this claims: {sentence}"
        for match, claims in found:
            for key, value in claims.items():
                value = match.expand(value) if isinstance(value, str) else value
                assert holds(match.expand(key), value, text, labels), (sentence, key, value, text)


@pytest.mark.parametrize("plot", PLOTS)
def test_every_sentence_of_a_summary_is_true_of_its_story(plot: str) -> None:
    world = World(1, plots=(plot,))
    records = world.task("summaries", 20)
    assert {record.plot for record in records} == {plot}
    for record in records:
        check_summary(plot, record.document, record.summary, world.parse(record.document).labels)


def test_a_small_village_without_a_mender_has_its_summary_too() -> None:
    worlds = [World(seed, n_people=6, plots=("mend",)) for seed in range(300)]
    helpless = next(world for world in worlds if not any(person.job.mends for person in world.people))
    for record in helpless.task("summaries", 5):
        who = {q: a for _, q, a in helpless.parse(record.document).labels["questions"]}["Who broke the window?"]
        assert record.summary.startswith(f"{who} broke a window. ")


def test_every_plot_can_be_summed_up() -> None:
    assert set(PLOTS) <= set(SUMMARIES) == set(CLAIMS)


# -- paraphrases -----------------------------------------------------------------------------------------------------
def facts(world: World, text: str) -> dict[str, object]:
    """What the world finds in a text: all but the mood, which some closing words leave open."""
    labels = dict(world.parse(text).labels)
    return labels | {"people": sorted(labels["people"]), "mood": None}


def test_two_tellings_are_the_same_exactly_when_the_world_finds_the_same_in_them(world: World) -> None:
    counts: Counter[bool] = Counter()
    for record in world.task("paraphrases", 80):
        assert record.first != record.second
        assert (facts(world, record.first) == facts(world, record.second)) == record.is_same
        assert bool(record.changed) != record.is_same
        counts[record.is_same] += 1
    assert min(counts.values()) > 20


def test_a_paraphrase_names_the_same_people_things_and_numbers(world: World) -> None:
    for seed in range(60):
        story = telling(world, seed)
        other = retell(story, Random(seed), {}, {})
        named = [
            {(span.kind, span.of(s.text).lower()) for span in spans(s.text, s.mentions) if span.kind != "job"}
            for s in (story, other)
        ]
        assert named[0] == named[1]
        assert truth(story) == truth(other)


def test_what_changed_is_of_the_kind_that_the_record_names(world: World) -> None:
    kinds = Counter(record.changed for record in world.task("paraphrases", 400))
    assert set(kinds) >= {"", "person", "thing", "place", "day", "number", "weather", "event"}


def test_shared_words_do_not_give_a_paraphrase_away(world: World) -> None:
    records = world.task("paraphrases", 400)
    words = [(set(record.first.split(" ")), set(record.second.split(" "))) for record in records]
    shares = sorted((len(a & b) / len(a | b), record.is_same) for (a, b), record in zip(words, records, strict=True))
    same = [is_same for _, is_same in shares]
    # the share of right answers when all that share more words than some threshold are called the same
    best = max(same[:i].count(False) + same[i:].count(True) for i in range(len(same) + 1)) / len(same)
    assert 0.5 <= best < 0.75


def test_telling_again_without_rewording_gives_the_same_text(world: World) -> None:
    for seed in range(40):
        story = telling(world, seed)
        other = Retelling(story.script, world, Random(99), frozenset())
        other.tell()
        assert other.text == story.text
        assert other.script == story.script
        assert other.truth() == story.truth()


def test_a_value_that_does_not_fit_the_story_is_off_script(world: World) -> None:
    story = next(s for s in (telling(world, seed) for seed in range(200)) if s.labels["plot"] == "count")
    place = next(i for i, (role, _) in enumerate(story.script.drawn) if role == "n")
    with pytest.raises(OffScript):
        retell(story, Random(0), {place: 99}, {})


def test_every_reworded_rule_is_told_and_has_more_than_one_wording(world: World) -> None:
    wordings: dict[str, set] = {}
    for seed in range(1500):
        for said in telling(world, seed).script.said:
            wordings.setdefault(said.rule.rstrip("0123456789"), set()).add(said.template)
    assert all(len(wordings.get(rule, ())) > 1 for rule in REWORDED), REWORDED - set(wordings)


def test_a_telling_is_a_story_of_the_world_word_for_word(world: World) -> None:
    for seed in range(20):
        document = world.draw(Random(seed))
        assert telling(world, seed).text == document.text
        assert telling(world, seed).truth() == document.labels


def test_shuffling_keeps_every_item_and_newcomers_are_everybody_else(world: World) -> None:
    assert sorted(shuffled(Random(1), range(9))) == list(range(9))
    assert {tuple(shuffled(Random(seed), range(3))) for seed in range(60)} == {
        (a, b, 3 - a - b) for a in range(3) for b in range(3) if a != b
    }
    story = telling(world, 3)
    assert {*story.cast, *newcomers(world, story)} == set(world.people)
