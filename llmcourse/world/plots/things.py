"""Plots about things: lent, passed on, lost and mended."""

from itertools import pairwise

from llmcourse.world.codas import joke, mood, moral, quirk
from llmcourse.world.lexicon import DAYS, PLACES, SMALL_THINGS, THINGS, phrases
from llmcourse.world.story import Story
from llmcourse.world.template import number_word

SPOTS = phrases(
    "under the bed",
    "behind the stove",
    "in the garden",
    "on the roof",
    "in the bread bin",
    "among the boots",
    "in the bath",
    "on its hook",
)
USES = phrases("as a hat stand", "to hold the door open", "as a seat", "to frighten the geese", "as a pillow", "as art")


def _more(s: Story, rule: str, i: int, *templates: str) -> bool:
    """One more hand-over, or not, so that 0 to `hops` of them are equally likely."""
    stop = 1.0 / (s.world.dials.hops - i + 1)
    return s.say_one(rule, {False: ("",), True: templates}, (stop, 1.0 - stop))


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
        "{b.full} needed {x.a} for a week, and {a.full} had one to lend.",
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
    while hops < s.world.dials.hops:
        s.let(c=s.someone)
        if not _more(
            s,
            "lend.hop",
            hops,
            "But {c.full} needed {x.a} too, and {h} passed it on.",
            "{c.full} asked for it so nicely that {h} handed it over.",
            "{h} met {c.full} on the bridge, and {x.the} changed hands.",
            "One evening {h} lent it to {c.full}, who lived nearby.",
            "{h} owed {c.full} a favour, and soon {c} had {x.the}.",
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
    if hops == 0:
        kept = (
            "On {due} {b} stood at the door with {x.the}.",
            "{due} came, and so did {b}, with {x.the} and a jar of jam.",
            "When {due} came, {b} brought {x.the} back, cleaner than before.",
            "{b} brought it back on {due}, as promised, and stayed for supper.",
        )
        broken = (
            "{due} came, but {b} did not.",
            "On {due} {b} was not at home, and neither was {x.the}.",
            "{due} went by, and {x.the} stayed where it was.",
            "{b} forgot all about it, and {due} went by like any other day.",
        )
        result = s.say_one("lend.end", {True: kept, False: broken}, (p, 1 - p))
    else:
        kept = (
            "On {due} {b} fetched {x.the} from {h} and brought it home to {a}.",
            "On {due} {x.the} was back with {a}. {b} had asked {h} for it only four times.",
            "{b} ran to {h} on {due}, and by evening {a} had {x.the} again.",
        )
        broken = (
            'On {due} {a} asked for {x.the}. "{h} has it now," said {b}.',
            '{due} came. "Where is it?" asked {a}. "Ask {h}," said {b}, and looked at the ceiling.',
            'On {due} {b} came without it. "{h} is taking good care of it," said {b} to {a}.',
        )
        result = s.say_one("lend.far", {True: kept, False: broken}, (p, 1 - p))
    if result:
        mood(s, "a", happy=5, calm=4, proud=1)
        moral(
            s,
            "kept",
            "A promise is light to give and heavy to carry, but it can be carried.",
            "In that village they still talk about it, since it happens so seldom.",
            "What is lent to a friend comes home with a story.",
        )
    else:
        mood(s, "a", angry=5, sad=3, calm=2)
        moral(
            s,
            "broken",
            "Lend only what you can bear to visit.",
            "A promise weighs nothing, which is why it is so easily lost.",
            "There is always another week, and it has the same days in it.",
        )
    return result


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
    while len(chain) <= s.world.dials.hops:
        s.let(h=chain[-1], c=s.someone, p=s.one_of("key.place", PLACES))
        if not _more(
            s,
            "key.hop",
            len(chain) - 1,
            "{h} had to go to the {p} and gave the key to {c.full}.",
            '"Hold this," said {h}, on the way to the {p}, and {c.full} held the key.',
            "{h} did not trust {h.his} own pockets, so the key went to {c.full}.",
            "{h} wanted to swim in the river, and {c.full} took the key.",
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
    for giver, taker in pairwise(chain):
        s.let(g=giver, t=taker)
        s.say(
            "key.sent",
            '"I gave it to {t}," said {g}.',
            '"{t} has it," said {g}.',
            '"Not me," said {g}. "Ask {t}."',
            "{g} pointed at {t}.",
        )
    found = s.say_one(
        "key.end",
        {
            True: (
                '"Here it is," said {h}, and took it out of {h.his} sock.',
                "{h} had it on a string around {h.his} neck and gave it back without a word.",
                "{h} had used it to stir {h.his} tea, but it was clean enough.",
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
        mood(s, "a", happy=3, calm=5, excited=1)
        moral(s, "key.found", "A key has many uncles.", "The shortest way home is through the fewest pockets.")
    else:
        s.say(
            "key.window",
            "{a} went in through the window, which had been open all day.",
            "{a} spent the night on the doorstep, next to a sympathetic hedgehog.",
            "{a} leaned on the door, and it opened. It had never been locked.",
        )
        mood(s, "a", angry=4, sad=2, calm=2, afraid=1)
        moral(s, "key.lost", "What everybody keeps, nobody has.", "A lock keeps out only the owner.")
    s.labels |= {"holder": (s["a"] if found else s["h"]).name, "found": found, "hops": len(chain) - 1}
    s.ask("who", "Whose house was it?", s["a"])
    s.ask("who", "Who got the key first?", chain[0])
    s.ask("who", "Who had the key last, before evening?", chain[-1])
    s.ask("yes-no", "Was the key found?", "yes" if found else "no")
    s.ask("how many", "How many people were given the key that day?", number_word(len(chain)))


def search(s: Story) -> None:
    """Something is not where it was, nor where it might be."""
    s.let(a=s.someone, x=s.one_of("search.thing", SMALL_THINGS))
    s.say(
        "search.open",
        "{a.full} could not find {a.his} {x}.",
        "{a.full} looked for {a.his} {x} and found everything else.",
        "{a.full} noticed that {a.his} {x} was gone.",
        "{a.full} wanted to use {a.his} {x}, but it was nowhere.",
    )
    joke(s)
    s.let(p=s.one_of("search.spot", SPOTS))
    s.say(
        "search.one",
        "It was not {p}.",
        "{a.Or} looked {p}, where it was not.",
        "{a.Or} had left it {p}, but somebody had moved it, or the house.",
    )
    first = s["p"]
    s.let(p=s.one_of("search.spot", SPOTS, but=[first]))
    s.say(
        "search.two",
        "It was not {p} either.",
        "Nor was it {p}, though a sandwich was.",
        "There was a spider {p}, and nothing else.",
    )
    s.let(b=s.someone)
    s.say(
        "search.help",
        '"Have you seen it?" {a} asked {b.full}. "Not today," said {b}. "Not ever, I think."',
        '{b.full} helped, by sitting down and saying where it was not. "Not here," said {b}.',
        "{b.full} had not seen it, but described it very well.",
        "{b.full} asked what it looked like, and drew something else.",
    )
    quirk(s, "a")
    s.let(c=s.someone, u=s.one_of("search.use", USES))
    end = s.say_one(
        "search.end",
        {
            "far": (
                "At last it turned up {c.at}, where {c} was using it {u}.",
                "It was {c.at}. {c} had borrowed it in spring and used it {u}.",
                "In the end somebody saw it {c.at}. {c} had been using it {u}.",
            ),
            "near": (
                "It was in {a.his} other hand, where it had been all day.",
                "Then {a} sat down, and sat on it.",
                "It had been in front of {a} all along, next to {a.his} nose.",
            ),
            "never": (
                "It was never found. {a} bought a new one, put it down, and could not find it.",
                "Nobody found it, and after a week nobody looked.",
                "Perhaps it is there still, wherever that is.",
            ),
        },
        (0.5, 0.25, 0.25),
    )
    x = s["x"].key
    s.ask("who", f"Who lost the {x}?", s["a"])
    s.ask("who", f"Whom did {s['a']} ask about it?", s["b"])
    s.ask("yes-no", f"Was the {x} {first}?", "no")
    if end == "far":
        s.ask("who", f"Who had the {x}?", s["c"])
        s.ask("where", f"Where was the {x}?", s["c"].job.at)
        mood(s, "a", angry=4, happy=3, calm=3)
        moral(
            s,
            "search.far",
            "A thing is never lost. It is only with somebody else.",
            "Every village has one of each, and it goes round.",
        )
    elif end == "near":
        mood(s, "a", calm=3, happy=4, angry=1)
        moral(
            s,
            "search.near",
            "What we look for is often holding us up.",
            "The last place is always the right one, if you stop there.",
        )
    else:
        mood(s, "a", sad=5, angry=2, calm=2)
        moral(s, "search.never", "Some things leave without a note.", "It is said to be well, wherever it is.")
    s.ask("yes-no", f"Was the {x} found?", "no" if end == "never" else "yes")
    s.labels |= {"found": end != "never", "end": end}


def mend(s: Story) -> None:
    """Something breaks, and only one trade can mend it."""
    # a mender who breaks something would leave a small world without help
    menders = tuple(p for p in s.world.people if p.job.mends)
    s.let(a=lambda: s.world.distribution("mend.who", tuple(p for p in s.world.people if (p,) != menders)))
    s.let(c=lambda: s.world.distribution("mend.by", tuple(p for p in menders if p not in s.cast)))
    if not menders:
        s.say("mend.none", "{a.full} broke a window, and nobody in the village could mend it.")
        mood(s, "a", sad=2, calm=3)
        return
    s.say(
        "mend.open",
        "{a.full} dropped {a.his} {c.mends} down the stairs.",
        "{a.full} sat on {a.his} {c.mends} by mistake.",
        "{a.full} found {a.his} {c.mends} in two pieces, and the cat in a third place.",
        "{a.full} had a {c.mends} that had worked for years, and now it did not.",
    )
    s.say(
        "mend.whom",
        "Only one person could mend it, so {a.or} carried it to {c.full}.",
        'There was no help for it. {a.Or} took the pieces {c.to}, where {c.full} said "Hm."',
        "{c.full} was known for such things, and {a.or} went {c.to} at once.",
        "{a.Or} asked around, and everyone said to go to {c.full}.",
    )
    s.let(n=s.one_of("mend.price", range(2, 10)))
    s.say(
        "mend.price",
        '"{n.Cap} coins," said {c}.',
        '{c} thought about it. "{n.Cap} coins," {c.he} said.',
        "{c} held it to the light and asked for {n} coins.",
    )
    s.let(k=2 * s["n"])
    s.say(
        "mend.double",
        '"And {k} if you help."',
        '"Twice that if you watch, so {k}."',
        '"{k.Cap} by tomorrow."',
        '"{k.Cap} if it talks back."',
    )
    quirk(s, "c")
    well = s.say_one(
        "mend.end",
        {
            True: (
                "The next day it was as good as new, and a little heavier.",
                "{c} tapped it once, and it worked. {a} paid and did not ask.",
                "A week later it was better than before, and knew its place.",
            ),
            False: (
                "It came back in one piece, with three screws left over.",
                "Now it was whole again, but it hummed at night.",
                "It held for a day, and on the next day it did not.",
            ),
        },
        (s["c"].reliability, 1 - s["c"].reliability),
    )
    if well:
        mood(s, "a", happy=5, calm=3, excited=1)
        moral(s, "mend.well", "It is good to know somebody who knows.", "Old things stay, if they are asked nicely.")
    else:
        mood(s, "a", angry=4, sad=2, afraid=2)
        moral(s, "mend.badly", "Whatever is left over was never needed.", "Some things are better broken by oneself.")
    s.labels |= {"mended": well, "price": s["n"]}
    s.ask("who", f"Who was to mend the {s['c'].job.mends}?", s["c"])
    s.ask("how many", f"How many coins did {s['c']} ask for at first?", number_word(s["n"]))
