"""Paraphrases: one story told twice in different words, or a second one that differs in a fact."""

from random import Random
from typing import TYPE_CHECKING, Any

from llmcourse.world.lexicon import DAYS, ITEMS, JOBS, PLACES, SKIES, THINGS
from llmcourse.world.tasks.entities import kind_of
from llmcourse.world.tasks.records import ParaphraseRecord
from llmcourse.world.tasks.telling import OffScript, Retelling, Telling, newcomers, pick, tell
from llmcourse.world.template import words_of

if TYPE_CHECKING:
    from llmcourse.world.world import World

REWORDED = frozenset(
    words_of(
        "opening lend.open lend.promise lend.hop lend.end lend.far key.open key.back key.sent search.open search.one "
        "mend.whom mend.price count.ask count.answer market.seller market.offer market.end market.rest rumour.open "
        "rumour.pass rumour.back vote.open vote.first vote.second vote.count vote.end "
        "stranger.open stranger.want contest.open contest.prize contest.end sign.open sign.text sign.come soup.open "
        "soup.salt trip.open trip.say trip.got swap.one swap.two shift.open shift.where"
    )
)
"""The rules whose wordings tell one and the same thing; a rule that is told repeatedly may have a number behind it.

Those of the others do not: they are jokes, habits, morals, asides.
"""
ASIDES = ("joke.", "quirk.", "moral.", "last.", "mood")
"""How the rules begin whose groups settle no fact that is asked about."""
_OTHERS: dict[str, tuple[Any, ...]] = {"place": PLACES, "day": DAYS, "weather": SKIES, "job": JOBS}


def paraphrase_record(world: "World", random: Random) -> ParaphraseRecord:
    """Two tellings of one story, or, in every other record, of two that differ in a fact and in what follows from it.

    Both are texts of the world, and in both the wording is drawn afresh wherever another one tells the same; asides
    stay as they were. So a shared word is no sign of the same story: only the facts are. Where they are the same,
    every question about the one has its answer in the other; where they differ, at least one has not.
    """
    while True:
        story = tell(world, random)
        is_same = int(random.random() * 2) == 0
        changed, values, labels = ("", {}, {}) if is_same else _change(world, random, story)
        try:
            other = retell(story, random, values, labels)
        except OffScript:
            continue
        if other.text != story.text and (truth(other) == truth(story)) == is_same:
            return ParaphraseRecord(story.text, other.text, is_same, changed)


def retell(story: Telling, random: Random, values: dict[int, Any], labels: dict[int, Any]) -> Retelling:
    """The story in other words, with new values and labels at these places of its script.

    Raises: OffScript where they do not go with the rest of the story.
    """
    other = Retelling(story.script, story.world, random, REWORDED, values, labels)
    other.tell()
    return other


def told_thrice(world: "World", random: Random) -> tuple[str, str, str]:
    """A story, the same in other words, and one that is worded afresh too but differs from it in a fact."""
    while True:
        story = tell(world, random)
        try:
            same = retell(story, random, {}, {})
            _, values, labels = _change(world, random, story)
            other = retell(story, random, values, labels)
        except OffScript:
            continue
        if len({story.text, same.text, other.text}) == 3 and truth(same) == truth(story) != truth(other):
            return story.text, same.text, other.text


def truth(story: Telling) -> dict[str, Any]:
    """What is true of a story, in whatever order its people come in."""
    return story.truth() | {"people": tuple(sorted(person.name for person in story.cast))}


def _change(world: "World", random: Random, story: Telling) -> tuple[str, dict[int, Any], dict[int, Any]]:
    """One fact of the story and its replacement: the kind of fact, new values, new labels of groups."""
    script = story.script
    drawn = [i for i, (_, value) in enumerate(script.drawn) if _kind(value)]
    said = [i for i, said in enumerate(script.said) if len(said.labels) > 1 and not said.rule.startswith(ASIDES)]
    i = int(random.random() * (len(drawn) + len(said)))
    if i >= len(drawn):
        place = said[i - len(drawn)]
        others = [label for label in script.said[place].labels if label != script.said[place].label]
        return "event", {}, {place: pick(random, others)}
    value = script.drawn[drawn[i]][1]
    return _kind(value), {drawn[i]: _other(world, random, story, value)}, {}


def _kind(value: Any) -> str:
    """The kind of fact that a value is, or nothing for what no question asks about."""
    return kind_of(value) or ""


def _other(world: "World", random: Random, story: Telling, value: Any) -> Any:
    kind = _kind(value)
    if kind == "person":
        # in a small world everybody may be in the story; the old value then leaves it as it was, and it is told anew
        return pick(random, newcomers(world, story) or [value])
    if kind == "number":
        return value + pick(random, (-3, -2, -1, 1, 2, 3))
    options = _OTHERS.get(kind) or (THINGS if value in THINGS else ITEMS)
    return pick(random, [option for option in options if option != value])
