"""Plots about things that change hands: lent, passed on, brought back or not."""

from itertools import pairwise

from llmcourse.world.codas import joke, last_word, mood, moral, quirk
from llmcourse.world.lexicon import DAYS, PLACES, THINGS
from llmcourse.world.story import Story
from llmcourse.world.template import number_word


def _most_hops(s: Story) -> int:
    """How often a thing may be passed on: nobody gets it twice, so a small world runs out of hands."""
    return min(s.world.dials.hops, len(s.world.people) - 2)


def _more(s: Story, rule: str, i: int, *templates: str) -> bool:
    """One more hand-over, or not, so that all numbers of them are equally likely."""
    stop = 1.0 / (_most_hops(s) - i + 1)
    return s.say_one(rule, {False: ("",), True: templates}, (stop, 1.0 - stop))


# two sets, in turns: no two hand-overs in a row are told alike
HOPS = (
    (
        "But {c.full} needed {x.a} too, and {h} passed it on.",
        "{c.full} asked for {x.the} so nicely that {h} handed it over.",
        "{h} met {c.full} on the bridge, and {x.the} changed hands.",
        "{c.full} came by, said nothing, and left with {x.the}. {h} waved.",
    ),
    (
        "One evening {h} lent {x.the} to {c.full}, who lived nearby.",
        "{h} owed {c.full} a favour, and soon {c} had {x.the}.",
        "{h} had no room for {x.the}, so it moved in with {c.full}.",
        '"Just for an hour," said {c.full} to {h}, and carried off {x.the}.',
    ),
)


def lend(s: Story) -> None:
    """Somebody lends a thing; it may be passed on; the promise to bring it back is kept or broken."""
    s.let(a=s.someone, b=s.someone, x=s.one_of("lend.thing", THINGS))
    s.say(
        "lend.open",
        "{a.full} lent {x.a} to {b.full}.",
        "{b.full} borrowed {x.a} from {a.full}.",
        "{b.full} knocked at the door of {a.full} and left with {x.a}.",
        "{a.full} could not say no, so {b.full} went home with {x.a}.",
        "{b.full} saw that {a.full} had {x.a}, and asked to borrow it.",
        "{b.full} needed {x.a} for a few days, and {a.full} had one to lend.",
    )
    joke(s)
    s.let(due=s.one_of("lend.due", DAYS, but=[s["day"]]))
    s.say(
        "lend.promise",
        '"You will have it back on {due}," said {b}.',
        '"I promise to bring it back on {due}," said {b}, with one hand on {b.his} heart.',
        "{b} promised to bring it back on {due}, or a little before.",
        '"On {due} it is yours again," said {b}, who meant it at the time.',
        '"When do I get it back?" asked {a}. "On {due}," said {b}.',
        '{b} wrote on a piece of paper: "Back on {due}." Then {b.he} lost the paper.',
    )
    s.let(h=s["b"])
    hops = 0
    while hops < _most_hops(s):
        s.let(c=s.someone)
        if not _more(
            s,
            f"lend.hop{hops % 2}",
            hops,
            *HOPS[hops % 2],
        ):
            break
        s.let(h=s["c"])
        hops += 1
    quirk(s, "b")
    kept = _lend_ending(s, hops)
    holder = s["a"] if kept else s["h"]
    s.labels |= {"kept": kept, "holder": holder.name, "hops": hops}
    x = s["x"]
    s.ask("who", f"Who has the {x.key} now?", holder)
    s.ask("who", f"Whose {x.key} was it?", s["a"])
    s.ask("who", f"Who promised to bring the {x.key} back?", s["b"])
    s.ask("when", f"On which day was the {x.key} to come back?", s["due"])
    s.ask("yes-no", f"Did {s['b']} keep the promise?", "yes" if kept else "no")


def _lend_ending(s: Story, hops: int) -> bool:
    p = s["b"].reliability
    ends: dict[bool, tuple[str, ...]]
    if hops == 0:
        ends = {
            True: (
                "On {due} {b} stood at the door with {x.the}.",
                "{due} came, and so did {b}, with {x.the} and a jar of jam.",
                "When {due} came, {b} brought {x.the} back, cleaner than before.",
                "{b.Or} brought {x.the} back on {due}, as promised, and stayed for supper.",
            ),
            False: (
                "{due} came, but {b} did not.",
                "On {due} {b} was not at home, and neither was {x.the}.",
                "{due} went by, and {x.the} stayed where it was.",
                "{b.Or} forgot all about {x.the}, and {due} went by like any other day.",
            ),
        }
        result = s.say_one("lend.end", ends, (p, 1 - p))
    else:
        ends = {
            True: (
                "On {due} {b} fetched {x.the} from {h} and brought it home to {a}.",
                "On {due} {x.the} was back with {a}. {b} had asked {h} for it only four times.",
                "{b} ran to {h} on {due}, and by evening {a} had {x.the} again.",
            ),
            False: (
                'On {due} {a} asked for {x.the}. "{h} has it now," said {b}.',
                '{due} came. "Where is it?" asked {a}. "Ask {h}," said {b}, and looked at the ceiling.',
                'On {due} {b} came without {x.the}. "{h} is taking good care of it," said {b} to {a}.',
            ),
        }
        result = s.say_one("lend.far", ends, (p, 1 - p))
    if result:
        mood(s, "a", happy=5, calm=4)
        last_word(s)
        moral(
            s,
            "kept",
            "A promise is light to give and heavy to carry, but it can be carried.",
            "In that village they still talk about it, since it happens so seldom.",
            "What is lent to a friend comes home with a story.",
        )
    else:
        mood(s, "a", angry=5, sad=3, calm=2)
        last_word(s)
        moral(
            s,
            "broken",
            "Lend only what you can bear to visit.",
            "A promise weighs nothing, which is why it is so easily lost.",
            "There is always another week, and it has the same days in it.",
        )
    return result


KEY_HOPS = (
    (
        '"Hold this," said {h}, on the way to the {p}, and {c.full} held the key.',
        "{h} wanted to swim in the river, and {c.full} took the key.",
        "{h} could not nap with the key in the house, so {c.full} took it.",
    ),
    (
        "{h} had to go to the {p} and gave the key to {c.full}.",
        "{h} did not trust {h.his} own pockets, so the key went to {c.full}.",
        '"Is that a key?" asked {c.full}. "Have it," said {h}.',
    ),
)


SENT = (
    (
        '"I gave it to {t}," said {g}.',
        '"Not me," said {g}. "Ask {t}."',
        "{g} whispered the name of {t}.",
    ),
    (
        '"{t} has it," said {g}.',
        "{g} pointed at {t}.",
        "{g} said that {t} would know.",
    ),
)


def key(s: Story) -> None:
    """A key goes from hand to hand, and its owner has to follow it back."""
    s.let(a=s.someone, b=s.someone)
    s.say(
        "key.open",
        "{a.full} left the village for a day and gave {b.full} the key to {a.his} house.",
        '{a.full} locked {a.his} house. "Keep the key for me," {a.he} said to {b.full}, and left for the city.',
        "{a.full} went to visit an aunt and left the key of the house with {b.full}.",
        "{a.full} had to be away until evening, so {b.full} got the key to the house.",
    )
    chain = [s["b"]]
    while len(chain) <= _most_hops(s):
        s.let(h=chain[-1], c=s.someone, p=s.one_of("key.place", PLACES))
        if not _more(
            s,
            f"key.hop{len(chain) % 2}",
            len(chain) - 1,
            *KEY_HOPS[len(chain) % 2],
        ):
            break
        chain.append(s["c"])
    s.let(h=chain[-1])
    quirk(s, "h")
    s.say(
        "key.back",
        'In the evening {a} came home. "Where is my key?" {a.he} asked {b}.',
        'At dusk {a} stood before the locked door and called for {b}. "My key, please," {a.he} said.',
        "It was dark when {a} came back and asked {b} for the key.",
        "When {a} returned, {b} was asleep in a chair. {a} coughed and asked about the key.",
    )
    for i, (giver, taker) in enumerate(pairwise(chain)):
        s.let(g=giver, t=taker)
        s.say(f"key.sent{i % 2}", *SENT[i % 2])
    found = s.say_one(
        "key.end",
        {
            True: (
                '"Here it is," said {h}, and took the key out of a sock.',
                "{h} had the key on a string around {h.his} neck and gave it back without a word.",
                "{h} had used the key to stir {h.his} tea, but it was clean enough.",
            ),
            False: (
                '"It was here a minute ago," said {h}, and looked into an empty hand.',
                "{h} turned out every pocket and found nothing but crumbs.",
                '"A magpie has it," said {h}. "It looked honest."',
            ),
        },
        (0.6, 0.4),
    )
    if found:
        mood(s, "a", happy=3, calm=5)
        moral(
            s,
            "key.found",
            "A key has many uncles.",
            "The shortest way home is through the fewest pockets.",
            "Whoever has a door should know a neighbour.",
        )
    else:
        s.say(
            "key.window",
            "{a} went in through the window, which had been open all day.",
            "{a} sat on the doorstep with a sympathetic hedgehog until a ladder was found.",
            "{a} leaned on the door until the hinges gave up.",
        )
        mood(s, "a", angry=4, sad=2, calm=2, afraid=1)
        moral(
            s,
            "key.lost",
            "What everybody keeps, nobody has.",
            "A lock keeps out only the owner.",
            "A door is a wall with an opinion.",
        )
    s.labels |= {"holder": (s["a"] if found else s["h"]).name, "found": found, "hops": len(chain) - 1}
    s.ask("who", "Whose house was it?", s["a"])
    s.ask("who", "Who got the key first?", chain[0])
    s.ask("who", "Who had the key last, before evening?", chain[-1])
    s.ask("yes-no", "Was the key found?", "yes" if found else "no")
    s.ask("how many", "How many people were given the key that day?", number_word(len(chain)))
