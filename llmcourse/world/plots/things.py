"""Plots about things that are lost or broken."""

from llmcourse.world.codas import joke, last_word, mood, moral, quirk
from llmcourse.world.lexicon import SMALL_THINGS, phrases
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
    "in the clock",
)


USES = phrases("as a hat stand", "to hold the door open", "as a seat", "to frighten the geese", "as a pillow", "as art")


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
        "{x.The} was not {p}.",
        "{a.Or} looked {p}, where {x.the} was not.",
        "{a.Or} had left {x.the} {p}, but somebody had moved it, or the house.",
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
        '"Have you seen my {x}?" {a} asked {b.full}. "Not today," said {b}. "Not ever, I think."',
        '{b.full} helped, by sitting down and saying where it was not. "Not here," said {b}.',
        "{b.full} had not seen {x.the}, but described it very well.",
        "{b.full} asked what {x.the} looked like, and drew something else.",
    )
    quirk(s, "a")
    s.let(c=s.someone, u=s.one_of("search.use", USES))
    end = s.say_one(
        "search.end",
        {
            "far": (
                "At last {x.the} turned up {c.at}, where {c} was using it {u}.",
                "{x.The} was {c.at}. {c} had borrowed it in spring and used it {u}.",
                "In the end somebody saw {x.the} {c.at}. {c} had been using it {u}.",
            ),
            "near": (
                "{x.The} was in {a.poss} other hand, where it had been all day.",
                "Then {a} sat down, and sat on {x.the}.",
                "{x.The} had been in front of {a} all along, a little below the nose.",
            ),
            "never": (
                "{x.The} was never found. {a} bought a new one, put it down, and could not find it.",
                "Nobody found {x.the}, and after a week nobody looked.",
                "Perhaps {x.the} is there still, wherever that is.",
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
        last_word(s)
        moral(
            s,
            "search.far",
            "A thing is never lost. It is only with somebody else.",
            "Every village has one of each, and it goes round.",
            "What one misses is mostly in good company.",
        )
    elif end == "near":
        mood(s, "a", calm=3, happy=4, angry=1)
        last_word(s)
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
    s.let(c=lambda: s.world.distribution("mend.by", tuple(p for p in menders if p.job is not s["a"].job)))
    if not menders:
        s.say("mend.none", "{a.full} broke a window, and nobody in the village could mend it.")
        s.ask("who", "Who broke the window?", s["a"])
        mood(s, "a", sad=2, calm=3)
        return
    s.say(
        "mend.open",
        "{a.full} dropped {a.his} {c.mends} down the stairs.",
        "{a.full} sat on {a.his} {c.mends} by mistake.",
        "{a.full} found {a.his} {c.mends} in two pieces, and the cat in a third place.",
        "{a.full} reached for a {c.mends} that had served for years, and half of it came along.",
    )
    s.say(
        "mend.whom",
        "Only one person could mend it, so {a.or} carried it to {c.full}.",
        'There was no help for it. {a.Or} took the {c.mends} {c.to}, where {c.full} said "Hm."',
        "{c.full} was known for such things, and {a.or} went {c.to} at once.",
        "{a.Or} asked around, and everyone said to go to {c.full}.",
    )
    s.let(n=s.one_of("mend.price", range(2, 10)))
    s.say(
        "mend.price",
        '"{n.Cap} coins," said {c}.',
        '{c.Or} thought about it. "{n.Cap} coins," {c.he} said.',
        "{c.Or} held it to the light and asked for {n} coins.",
    )
    s.let(k=2 * s["n"])
    s.say(
        "mend.double",
        '"And {k} if you help."',
        '"Twice that if you watch, so {k}."',
        '"{k.Cap} by tomorrow."',
        '"{k.Cap} if anybody asks why."',
    )
    quirk(s, "c")
    well = s.say_one(
        "mend.end",
        {
            True: (
                "The next day the {c.mends} was as good as new, and a little heavier.",
                "{c} tapped the {c.mends} once, and it was whole. {a} paid and did not ask.",
                "A week later the {c.mends} was better than before, and knew its place.",
            ),
            False: (
                "The {c.mends} came back in one piece, with three screws left over.",
                "The {c.mends} was whole again, but it hummed at night.",
                "The {c.mends} held for a day, and on the next day it did not.",
            ),
        },
        (s["c"].reliability, 1 - s["c"].reliability),
    )
    if well:
        mood(s, "a", happy=5, calm=3)
        moral(
            s,
            "mend.well",
            "It is good to know somebody who knows.",
            "Old things stay, if they are asked nicely.",
            "Nothing is broken for ever, except the rest.",
        )
    else:
        mood(s, "a", angry=4, sad=2, afraid=2)
        moral(
            s,
            "mend.badly",
            "What is mended often forgets what it was.",
            "Some things are better broken by oneself.",
            "It is the thought that holds.",
        )
    s.labels |= {"mended": well, "price": s["n"]}
    s.ask("who", f"Who was to mend the {s['c'].job.mends}?", s["c"])
    s.ask("how many", f"How many coins did {s['c']} ask for at first?", number_word(s["n"]))
