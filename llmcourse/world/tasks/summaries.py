"""Summaries: two sentences that are true of a story, the one of what it is about, the other of how it ends."""

from collections.abc import Callable, Mapping
from random import Random
from typing import TYPE_CHECKING

from llmcourse.world.lexicon import Item, a_or_an, quantity
from llmcourse.world.plots.numbers import COIN
from llmcourse.world.tasks.records import SummaryRecord
from llmcourse.world.tasks.telling import Telling, pick, tell

if TYPE_CHECKING:
    from llmcourse.world.world import World

VOTE, GUEST = Item("vote", "votes"), Item("guest", "guests")
Wordings = tuple[str, ...]
"""Ways to say one thing, of which a summary takes one."""


def summary_record(world: "World", random: Random) -> SummaryRecord:
    """One story and its summary: who did what, and how it ended; no asides, no mood."""
    story = tell(world, random)
    plot = story.labels["plot"]
    sentences = [pick(random, wordings) for wordings in SUMMARIES[plot](story)]
    return SummaryRecord(story.text, " ".join(sentences), plot)


def _lend(s: Telling) -> list[Wordings]:
    a, b, x, due = s["a"], s["b"], s["x"].key, s["due"]
    about = (f"{a} lent {b} {a_or_an(x)} until {due}.", f"{b} borrowed {a_or_an(x)} from {a} until {due}.")
    if s.labels["kept"]:
        return [about, (f"It came back to {a}, as promised.", f"{b} kept the promise, and {a} has it again.")]
    holder = s.labels["holder"]
    return [about, (f"It did not come back: {holder} has it.", f"{b} broke the promise, and it is with {holder}.")]


def _key(s: Telling) -> list[Wordings]:
    a, first, last = s["a"], s["b"], s["h"]
    about = (
        f"{a} went away and left the key to the house with {first}.",
        f"{first} was given the key to {a.forms['poss']} house.",
    )
    if s.labels["found"]:
        return [about, (f"In the evening {last} gave it back.", f"In the evening {a} got it from {last}.")]
    return [about, (f"In the evening {last} could not find it.", f"{last} had it last, and lost it.")]


def _search(s: Telling) -> list[Wordings]:
    a, x, end = s["a"], s["x"].key, s.labels["end"]
    about = (f"{a} looked for {a.forms['his']} {x}.", f"{a} could not find {a.forms['his']} {x}.")
    if end == "far":
        c = s["c"]
        return [about, (f"It was {c.job.at}, where {c} used it {s['u']}.", f"{c} had it and used it {s['u']}.")]
    if end == "near":
        return [about, (f"{a} had had it all along.", f"It had been with {a} all day.")]
    return [about, ("Nobody ever found it.", "It was never found.")]


def _mend(s: Telling) -> list[Wordings]:
    a = s["a"]
    if "mended" not in s.labels:
        return [(f"{a} broke a window.",), ("Nobody could mend it.", "It was never mended.")]
    c, broken = s["c"], s["c"].job.mends
    coins = quantity(s["n"], COIN)
    about = (
        f"{a} had a broken {broken}, and {c} asked for {coins} to mend it.",
        f"{c} was to mend {a_or_an(broken)} for {a} and asked for {coins}.",
    )
    if s.labels["mended"]:
        return [about, (f"{c} mended it well.", "Then it was as good as before.")]
    return [about, (f"{c} did not mend it well.", "It was never quite the same again.")]


def _count(s: Telling) -> list[Wordings]:
    a, item = s["a"], s["i"]
    first, left = quantity(s["n"], item), quantity(s.labels["left"], item)
    about = (f"{a} had {first}.", f"At first {a} had {first}.")
    return [about, (f"In the end there {left.forms['was']} {left}.", f"In the end {a} had {left}.")]


def _market(s: Telling) -> list[Wordings]:
    a, b, x = s["a"], s["b"], s["x"].forms["a"]
    purse, price, left = (quantity(n, COIN) for n in (s["z"], s["f"], s.labels["left"]))
    about = (f"{a} had {purse} and wanted {x}.", f"{b} was selling {x}, and {a} had {purse}.")
    if s.labels["bought"]:
        return [about, (f"{a} bought it for {price} and kept {left}.", f"{b} sold it to {a} for {price}.")]
    return [about, (f"{a} did not buy it for {price} and kept {left}.", f"{b} asked for {price}, and {a} did not pay.")]


def _rumour(s: Telling) -> list[Wordings]:
    a, b, scare = s["a"], s["b"], s["w"]
    first, last = quantity(s.labels["first"], scare), quantity(s.labels["last"], scare)
    about = (f"{a} saw {first}.", f"A rumour began with {a}, who saw {first}.")
    return [about, (f"When {b} told {a} of it, there were {last}.", f"By evening {b} spoke of {last}.")]


def _vote(s: Telling) -> list[Wordings]:
    winner, loser, pledge = s["w"], s["l"], s["u"]
    more, fewer = (quantity(n, VOTE) for n in sorted((s["n"], s["k"]), reverse=True))
    about = (f"{winner} became mayor with {more} to {fewer.forms['n']} for {loser}.", f"{winner} beat {loser}.")
    if s.labels["kept"]:
        return [about, (f"The village got {pledge}, as promised.", f"{winner} kept the promise of {pledge}.")]
    return [about, (f"The village never got {pledge}.", f"{winner} broke the promise of {pledge}.")]


def _stranger(s: Telling) -> list[Wordings]:
    a, guest, end = s["a"], s["j"], s.labels["end"]
    about = (f"{a} took in {guest.forms['a']} from {s['f']}.", f"{a_or_an(guest.name).capitalize()} stayed with {a}.")
    if end == "stay":
        return [about, ("The guest is there still.", f"The {guest.name} never left.")]
    x = s["x"]
    if end == "gift":
        return [about, (f"The guest left {x.forms['a']} as a gift.", f"{a} got {x.forms['a']} for it.")]
    return [about, (f"The guest took the {x.key} and was gone.", f"Then the {guest.name} stole the {x.key}.")]


def _contest(s: Telling) -> list[Wordings]:
    winner, loser, x = s["w"], s["l"], s["x"].forms["a"]
    about = (f"{s['a']} met {s['b']} in {s['g'].forms['a']}.", f"There was {s['g'].forms['a']}, and {x} to be won.")
    return [about, (f"{winner} beat {loser} and got {x}.", f"{winner} won, and {loser} lost.")]


def _sign(s: Telling) -> list[Wordings]:
    a, b, p, d = s["a"], s["b"], s["p"], s["d"]
    about = (f'{a} put up a sign at the {p}: "Do not {d.key}."', f"A sign of {a.forms['poss']} said not to {d.key}.")
    if s.labels["did"]:
        return [about, (f"{b} did it all the same.", f"{b} read it and {d.forms['did']}.")]
    return [about, (f"{b} obeyed it.", f"{b} read it and did not.")]


def _soup(s: Telling) -> list[Wordings]:
    a, guests, needed = s["a"], quantity(s["n"], GUEST), quantity(s["k"], s["i"])
    about = (f"{a} cooked for {guests}.", f"{a} made a soup of {needed} for {guests}.")
    if s.labels["salted"]:
        return [about, ("The salt was not forgotten.", f"{a} put salt in it.")]
    return [about, ("The salt was forgotten.", f"{a} left out the salt.")]


def _trip(s: Telling) -> list[Wordings]:
    a, b, p = s["a"], s["b"], s["p"]
    said = "rain" if s.labels["forecast"] == "rain" else "a dry day"
    about = (f"{a} and {b} set out for the {p}.", f"{b} walked with {a} towards the {p} and foretold {said}.")
    if s.labels["rained"]:
        return [about, ("It rained.", f"It rained, and {b} was {_right(s)}.")]
    return [about, ("It stayed dry.", f"It stayed dry, and {b} was {_right(s)}.")]


def _right(s: Telling) -> str:
    return "right" if s.labels["right"] else "wrong"


def _swap(s: Telling) -> list[Wordings]:
    a, first, third = s["a"], s["t"].forms["a"], s["v"].forms["a"]
    about = (f"{a} swapped {first}, and swapped again.", f"{a} began with {first} and came to {third} in two swaps.")
    match s.labels["end"]:
        case "last":
            return [about, (f"{a} kept {third}.", f"In the end {a} had {third}.")]
        case "back":
            return [about, (f"In the end {s['b']} gave {first} back.", f"In the end {a} had {first} again.")]
    return [about, ("In the end there was nothing left.", f"In the end {a} had nothing.")]


def _shift(s: Telling) -> list[Wordings]:
    a, b = s["a"], s["b"]
    about = (f"{a} and {b} did each other's work for a day.", f"{a} worked {b.job.at} and {b} {a.job.at} for a day.")
    match s.labels["well"], s.labels["also"]:
        case True, True:
            return [about, ("Both did it well.", f"It went well for {a} and for {b}.")]
        case False, False:
            return [about, ("Both did it badly.", "Neither did it well.")]
    good, bad = (a, b) if s.labels["well"] else (b, a)
    return [about, (f"{good} did it well, and {bad} did not.", f"{bad} did worse than {good}.")]


SUMMARIES: Mapping[str, Callable[[Telling], list[Wordings]]] = {
    "lend": _lend,
    "key": _key,
    "search": _search,
    "mend": _mend,
    "market": _market,
    "count": _count,
    "rumour": _rumour,
    "vote": _vote,
    "stranger": _stranger,
    "contest": _contest,
    "sign": _sign,
    "soup": _soup,
    "trip": _trip,
    "swap": _swap,
    "shift": _shift,
}
