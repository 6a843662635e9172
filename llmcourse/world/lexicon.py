"""The words of the world: names, jobs, quirks, things, places and days.

Keys and places in the lists are stable ids that probabilities hang on: append, never insert; wording may change.
"""

from dataclasses import dataclass, field
from functools import cache

from llmcourse.world.template import number_word, words_of

SHE_NAMES = words_of(
    "Mara Ines Tilda Wren Ada Nell Olga Petra Ruth Suki Vera Zora Bea Cleo Dora Edda Fern Greta Hana Iris Lotte Juno"
)
HE_NAMES = words_of(
    "Odo Finn Bram Hugo Ivo Jonas Karl Leo Milo Niko Otto Pip Rufus Sam Theo Umar Viggo Walt Yuri Abel Caspar Emil"
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class Phrase(str):
    """Words whose probability hangs on an id, so that mending the words does not change the world."""

    key: str


def phrases(*texts: str) -> tuple[Phrase, ...]:
    """Phrases whose ids are their places in the list."""
    found = tuple(Phrase(text) for text in texts)
    for i, phrase in enumerate(found):
        phrase.key = str(i)
    return found


def a_or_an(noun: str) -> str:
    """`noun` with its article."""
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


@dataclass(frozen=True, eq=False)
class Job:
    """A trade: its name, the place where it is done, and what is mended or sold there."""

    name: str
    at: str
    ware: str = ""
    wares: str = ""
    mends: str = ""
    excuse: str = ""

    @property
    def to(self) -> str:
        """The way there."""
        return "to " + self.at.split(" ", 1)[1]

    @property
    def forms(self) -> dict[str, str]:
        return {"": self.name, "a": a_or_an(self.name), "at": self.at, "to": self.to}


JOBS = (
    Job("baker", "at the bakery", "pie", "pies"),
    Job("fisher", "on the pier", "herring", "herrings"),
    Job("beekeeper", "at the beehives", "candle", "candles"),
    Job("teacher", "at the school"),
    Job("clockmaker", "at the clock shop", mends="clock"),
    Job("smith", "at the forge", "nail", "nails", mends="kettle"),
    Job("tailor", "at the tailor shop", "button", "buttons", mends="coat"),
    Job("doctor", "at the clinic"),
    Job("gardener", "at the greenhouse", "pumpkin", "pumpkins"),
    Job("miller", "at the mill"),
    Job("librarian", "at the library", mends="book"),
    Job("carpenter", "at the workshop", "spoon", "spoons", mends="chair"),
    Job("shepherd", "at the sheepfold", "cheese", "cheeses"),
    Job("cook", "at the inn", "dumpling", "dumplings"),
    Job("sailor", "at the harbour", mends="net"),
    Job("postmaster", "at the post office"),
    Job("painter", "at the studio", mends="sign"),
    Job("potter", "at the pottery", "cup", "cups", mends="jug"),
    Job("barber", "at the barber shop"),
    Job("lamplighter", "at the lighthouse", mends="lantern"),
    Job("musician", "at the theatre", mends="fiddle"),
    Job("cobbler", "at the shoe shop", mends="boot"),
)


@dataclass(frozen=True, eq=False)
class Thing:
    """Something that can be carried, lent or lost, with its last word and the jokes that belong to it."""

    key: str
    last: str
    jokes: tuple[str, ...]
    forms: dict[str, str] = field(repr=False)


def _thing(key: str, last: str, *jokes: str) -> Thing:
    forms = {"": key, "a": a_or_an(key), "A": a_or_an(key).capitalize(), "the": f"the {key}", "The": f"The {key}"}
    return Thing(key, last, jokes, forms)


THINGS = (
    _thing(
        "ladder",
        "That night a cat was seen on the ladder, close to the moon.",
        "It lacked one rung, but not an important one.",
        "It was taller than anything in the village.",
        "Cats used it more than people did.",
    ),
    _thing(
        "umbrella",
        "The rain still asks after the umbrella.",
        "It kept off everything but the rain.",
        "It had opened once, at a funeral, and never since.",
        "It was more holes than cloth, but they were good holes.",
    ),
    _thing(
        "kettle",
        "Somewhere the kettle whistled, and nobody went.",
        "It whistled in a minor key.",
        "It took so long to boil that people planned around it.",
        "It had a dent in the shape of a nose.",
    ),
    _thing(
        "lantern",
        "The lantern went out, and nobody could tell.",
        "It gave more smoke than light.",
        "Moths came from other villages to see it.",
        "It was so dim that one needed a second one to find it.",
    ),
    _thing(
        "accordion",
        "The accordion sighed, once.",
        "It knew two tunes, and both were the same.",
        "It sighed when nobody was near.",
        "A mouse lived in it and kept time.",
    ),
    _thing(
        "wheelbarrow",
        "Far off, the wheelbarrow turned left.",
        "Its wheel squeaked the news to the whole street.",
        "It always turned left.",
        "It had carried a bishop once, asleep.",
    ),
    _thing(
        "axe",
        "The axe has not been sharpened since, out of kindness.",
        "It was sharp at both ends, which was one too many.",
        "Butter was safe from it.",
        "It had been in the family for years, and the family was small now.",
    ),
    _thing(
        "fiddle",
        "The cat never spoke of the fiddle again.",
        "One string was missing, and nobody missed it.",
        "The cat had feelings about it.",
        "It was played only at funerals, and only once at each.",
    ),
    _thing(
        "saddle",
        "A horse has been looking for the saddle ever since.",
        "There was no horse, but one likes to be ready.",
        "It was made for a very small horse.",
        "It smelled of horses who had been somewhere.",
    ),
    _thing(
        "drum",
        "Two parishes away they still speak of the drum.",
        "It could be heard in three parishes.",
        "It had been hit by experts.",
        "It was empty inside, but it did not let that stop it.",
    ),
    _thing(
        "almanac",
        "The almanac had not foreseen it.",
        "It was right about the past.",
        "It was two years old, but so was the weather.",
        "Somebody had eaten the month of May.",
    ),
    _thing(
        "telescope",
        "Through the telescope it all looked very small.",
        "It showed the moon, and a thumb.",
        "Everything looked far away in it, from either end.",
        "Through it one could see the neighbours, who waved.",
    ),
    _thing(
        "rope",
        "The rope was still a little too short.",
        "It was almost long enough.",
        "It was tied in a knot that nobody remembered tying.",
        "A cow had once been at the other end.",
    ),
    _thing(
        "bell",
        "The bell rang, a little late.",
        "It had been made for a ship, and hoped for one.",
        "It made one think of soup.",
        "It was too big for a cat and too small for a church.",
    ),
)

SMALL_THINGS = tuple(thing for thing in THINGS if thing.key not in ("ladder", "wheelbarrow"))

PLACES = phrases("bridge", "market", "harbour", "square", "well", "orchard", "station", "river", "old tower", "meadow")
WEATHERS = ("rainy", "windy", "foggy", "bright", "frosty", "warm", "grey", "icy", "stormy", "quiet")


@dataclass(frozen=True, eq=False)
class Weather:
    """The weather of a day."""

    key: str
    forms: dict[str, str] = field(repr=False)


SKIES = tuple(Weather(w, {"": w, "a": a_or_an(w), "Cap": w.capitalize()}) for w in WEATHERS)


@dataclass(frozen=True)
class Item:
    """Something that is counted."""

    one: str
    many: str

    @property
    def key(self) -> str:
        return self.one

    @property
    def forms(self) -> dict[str, str]:
        return {"": self.many, "one": self.one}


ITEMS = (
    Item("egg", "eggs"),
    Item("apple", "apples"),
    Item("button", "buttons"),
    Item("candle", "candles"),
    Item("plum", "plums"),
    Item("onion", "onions"),
    Item("cup", "cups"),
    Item("pie", "pies"),
    Item("turnip", "turnips"),
    Item("biscuit", "biscuits"),
)


@dataclass(frozen=True, eq=False)
class Quantity:
    """So many of something."""

    n: int
    item: Item
    forms: dict[str, str] = field(repr=False)

    def __str__(self) -> str:
        return self.forms[""]


@cache
def quantity(n: int, item: Item) -> Quantity:
    """`n` of `item` in words: "one egg", "seven eggs", "no eggs"."""
    noun = item.one if n == 1 else item.many
    word = number_word(n)
    forms = {"": f"{word} {noun}", "Cap": f"{word.capitalize()} {noun}", "n": word, "was": "was" if n == 1 else "were"}
    return Quantity(n, item, forms | {"N": word.capitalize()})
