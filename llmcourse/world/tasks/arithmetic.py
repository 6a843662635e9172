"""Arithmetic on the quantities that the world's stories are full of: eggs, coins, rumours, votes, guests."""

from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

from llmcourse.world.lexicon import ITEMS, Item
from llmcourse.world.people import Person
from llmcourse.world.plots.numbers import COIN, SCARES
from llmcourse.world.tasks.records import ArithmeticRecord
from llmcourse.world.tasks.telling import pick, shuffled

if TYPE_CHECKING:
    from llmcourse.world.world import World


def arithmetic_record(world: "World", random: Random) -> ArithmeticRecord:
    """One question with its working and its answer, in digits, all whole and none below 0.

    `kind` says what it takes: "basket" adds and takes away two to four times; "purse" multiplies a price and takes it
    off; "rumour" doubles three to five times; "votes" adds and subtracts; "share" divides and leaves a rest.
    """
    people = shuffled(random, world.people)
    kind = pick(random, tuple(_KINDS))
    question, steps, answer = _KINDS[kind](people, random)
    return ArithmeticRecord(question, tuple(steps), answer, kind)


Solved = tuple[str, list[str], int]


def amount(n: int, item: Item) -> str:
    """`n` of `item` in digits: "1 egg", "7 eggs"."""
    return f"{n} {item.one if n == 1 else item.many}"


def between(random: Random, low: int, high: int) -> int:
    """A whole number from `low` to `high`, each as likely as the others."""
    return low + int(random.random() * (high - low + 1))


def _basket(people: list[Person], random: Random) -> Solved:
    owner, item = people[0], pick(random, ITEMS)
    have = between(random, 6, 60)
    told, steps = [f"{owner} had {amount(have, item)}."], []
    he = owner.forms["He"]
    for i in range(between(random, 2, 4)):
        loses = int(random.random() * 2) == 0 and have > 1
        n = between(random, 1, min(have - 1, 30) if loses else 30)
        other = people[1 + i]
        ways = (f"{he} gave {n} to {other}.", f"A goat ate {n}.") if loses else (f"{other} brought {n} more.",)
        told.append(pick(random, ways))
        after = have - n if loses else have + n
        steps.append(f"{have} {'-' if loses else '+'} {n} = {after}")
        have = after
    return " ".join([*told, f"How many {item.many} does {owner} have now?"]), steps, have


def _purse(people: list[Person], random: Random) -> Solved:
    buyer, seller, item = people[0], people[1], pick(random, ITEMS)
    n, price = between(random, 2, 12), between(random, 2, 9)
    cost = n * price
    purse = cost + between(random, 0, 40)
    told = (
        f"{buyer} had {amount(purse, COIN)} and bought {amount(n, item)} from {seller} at {amount(price, COIN)} each."
    )
    steps = [f"{n} * {price} = {cost}", f"{purse} - {cost} = {purse - cost}"]
    return f"{told} How many coins does {buyer} have left?", steps, purse - cost


def _rumour(people: list[Person], random: Random) -> Solved:
    first, times, scare = between(random, 2, 9), between(random, 3, 5), pick(random, SCARES)
    told, steps, n = [f"{people[0]} saw {amount(first, scare)}."], [], first
    for teller, hearer in pairwise(people[: times + 1]):
        told.append(f"{teller} told {hearer}, who heard twice as many.")
        steps.append(f"{n} * 2 = {2 * n}")
        n *= 2
    return " ".join([*told, f"How many {scare.many} did {people[times]} hear of?"]), steps, n


def _votes(people: list[Person], random: Random) -> Solved:
    one, other = people[:2]
    more, fewer = between(random, 20, 60), between(random, 2, 19)
    told = f"{more} people voted for {one} and {fewer} for {other}."
    if int(random.random() * 2):
        return f"{told} How many people voted?", [f"{more} + {fewer} = {more + fewer}"], more + fewer
    voters = more + fewer + between(random, 1, 30)
    asked = f"{voters} people live in the village. {told} How many did not vote?"
    voted = more + fewer
    return asked, [f"{more} + {fewer} = {voted}", f"{voters} - {voted} = {voters - voted}"], voters - voted


def _share(people: list[Person], random: Random) -> Solved:
    host, item = people[0], pick(random, ITEMS)
    guests, each = between(random, 3, 9), between(random, 2, 9)
    rest = between(random, 0, guests - 1)
    n = guests * each + rest
    told = f"{host} shared {amount(n, item)} evenly among {guests} guests and kept the rest."
    if int(random.random() * 2):
        return f"{told} How many did each guest get?", [f"{n} // {guests} = {each}"], each
    steps = [f"{n} // {guests} = {each}", f"{guests} * {each} = {n - rest}", f"{n} - {n - rest} = {rest}"]
    return f"{told} How many did {host} keep?", steps, rest


_KINDS = {"basket": _basket, "purse": _purse, "rumour": _rumour, "votes": _votes, "share": _share}
