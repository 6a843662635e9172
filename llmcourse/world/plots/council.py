"""Plots about public life: a forbidding sign, a vote."""

from dataclasses import dataclass

from llmcourse.world.codas import mood, moral, quirk
from llmcourse.world.lexicon import PLACES, phrases
from llmcourse.world.story import Story
from llmcourse.world.template import number_word

PLEDGES = phrases(
    "free soup",
    "shorter Mondays",
    "a bench at every corner",
    "less wind",
    "music in the mornings",
    "bigger spoons",
)


@dataclass(frozen=True, eq=False)
class Ban:
    """Something that a sign forbids: to do it, and having done it."""

    key: str
    forms: dict[str, str]


BANS = tuple(
    Ban(do, {"": do, "did": did})
    for do, did in (
        ("whistle", "whistled"),
        ("feed the geese", "fed the geese"),
        ("run", "ran"),
        ("sing before noon", "sang before noon"),
        ("sit on the wall", "sat on the wall"),
        ("throw stones", "threw a stone"),
        ("talk about the weather", "talked about the weather"),
        ("open an umbrella", "opened an umbrella"),
    )
)


DRAWN = 2  # the way of counting that finds a drawing of a horse

# what a quirk makes of a ban: done for certain, or certainly not
HABITS = {
    ("whistle", "whistles"): True,
    ("talk about the weather", "rain"): True,
    ("sit on the wall", "naps"): True,
    ("feed the geese", "geese"): False,
}


def sign(s: Story) -> None:
    """A sign forbids something; somebody does it, or does not."""
    s.let(a=s.someone, b=s.someone, p=s.one_of("sign.place", PLACES), d=s.one_of("sign.ban", BANS))
    s.say(
        "sign.open",
        "{a.full} put up a sign at the {p}.",
        "{a.full} painted a sign and nailed it up at the {p}.",
        "a new sign appeared at the {p}, and {a.full} stood beside it.",
        "{a.full} made a sign and chose the {p} for it.",
    )
    s.say(
        "sign.text",
        'It said: "Do not {d}."',
        "In red letters it said that nobody was to {d}.",
        '"Never {d}," it said, and below, smaller: "please."',
        'It read: "Whoever comes here must not {d}."',
    )
    s.say(
        "sign.why",
        "Nobody knew why, and nobody asked.",
        "Few had thought of it before, and now everybody did.",
        "It was not the first sign there, and none of the others was obeyed.",
        "The paint was still wet, as a pigeon had found out.",
        "Two cows read it and moved on.",
    )
    s.say(
        "sign.come",
        "Then {b.full} came along and read it twice.",
        "{b.full} came by and could not look away.",
        "Along came {b.full}, {b.quirk}.",
        "The first to see it was {b.full}.",
    )
    did = _obeys_or_not(s)
    if did:
        s.say(
            "sign.did",
            '"Can you not read?" cried {a}. "Yes," said {b}, "but not on a {day}."',
            "{a} saw it all and made the sign bigger.",
            '"I knew it," said {a}, who had hoped for it since breakfast.',
            "{a} blew a whistle, and three dogs came.",
        )
        mood(s, "a", angry=6, sad=2, calm=1)
        moral(
            s,
            "sign.did",
            "Write down what is forbidden, and it will be done by Friday.",
            "A sign is an idea for those who have none.",
            "Paint dries faster than people.",
        )
    else:
        s.say(
            "sign.didnt",
            '"You see?" said {a} to the sign. "It works."',
            "{a} thanked {b} with a firm nod.",
            "{a} was almost disappointed, but did not show it.",
        )
        mood(s, "a", proud=5, happy=3, calm=2)
        moral(
            s,
            "sign.didnt",
            "Not to do a thing is also work.",
            "Peace is mostly made of things that did not happen.",
            "Not everyone who stands still is thinking, but it helps.",
        )
    s.labels |= {"did": did}
    s.ask("who", "Who put up the sign?", s["a"])
    s.ask("where", "Where was the sign?", f"at the {s['p']}")
    s.ask("yes-no", f"Did {s['b']} do what the sign forbade?", "yes" if did else "no")


def _obeys_or_not(s: Story) -> bool:
    """Whether somebody does what the sign forbids; some quirks leave no choice."""
    forced = HABITS.get((s["d"].key, s["b"].quirk.key))
    if forced is None:
        quirk(s, "b")
        return bool(
            s.say_one(
                "sign.end",
                {
                    True: (
                        "{b} waited until only {a} was looking, and {d.did}.",
                        "{b} looked left, looked right, and {d.did}.",
                        "So {b} {d.did}, only once, to see.",
                        "{b} {d.did} as loudly as one can.",
                    ),
                    False: (
                        "{b} did not {d}. {b.He} had not wanted to, and now {b.he} wanted to very much.",
                        "{b} did not {d}, and told everyone about it.",
                        "{b} stood there for an hour and did not {d}.",
                    ),
                },
                (1 - s["b"].reliability, s["b"].reliability),
            )
        )
    s.labels["quirk"] = s["b"].quirk.key
    if forced:
        s.say(
            "sign.must",
            "{b} {d.did} before reading to the end, and did not notice.",
            "{b} {d.did}, as on any other day, and asked what the fuss was about.",
        )
    else:
        s.say(
            "sign.dare",
            "{b} did not {d}. {b.He} had already left, in the other direction.",
            "{b} did not {d}, and asked whether they could read it too.",
        )
    return forced


def vote(s: Story) -> None:
    """Two people want to be mayor; votes are counted; a pledge is kept or not."""
    s.let(a=s.someone, b=s.someone)
    s.say(
        "vote.open",
        "{a.full} and {b.full} both decided to be mayor.",
        "the village chose between {a.full} and {b.full}, since somebody had to be mayor.",
        "{a.full} stood up to be mayor, and {b.full} stood up as well.",
        "the old mayor went fishing for good, and {a.full} and {b.full} wanted the chair.",
    )
    s.let(u=s.one_of("vote.pledge", PLEDGES))
    s.say(
        "vote.first",
        "{a} promised {u}.",
        '"Vote for me," said {a}, "and you will have {u}."',
        "{a} stood on a box and spoke for an hour about {u}.",
    )
    one = s["u"]
    s.let(u=s.one_of("vote.pledge", PLEDGES, but=[one]))
    s.say(
        "vote.second",
        "{b} promised {u}.",
        '"That is nothing," said {b}. "I will give you {u}."',
        "{b} went from door to door and promised {u}.",
    )
    two = s["u"]
    quirk(s, "b")
    s.let(n=s.one_of("vote.n", range(4, 25)))
    s.let(k=lambda: s.world.distribution("vote.k", tuple(k for k in range(4, 25) if k != s["n"])))
    counted = s.say(
        "vote.count",
        "{n.Cap} people voted for {a} and {k} for {b}.",
        "{a} got {n} votes and {b} got {k}.",
        "There were {n} votes for {a}, {k} for {b}, and a drawing of a horse.",
        "They counted until midnight: {n} for {a}, {k} for {b}.",
    )
    n, k = s["n"], s["k"]
    winner, loser, pledge = (s["a"], s["b"], one) if n > k else (s["b"], s["a"], two)
    s.let(w=winner, l=loser, u=pledge)
    s.say(
        "vote.won",
        "So {w} became mayor.",
        "{w} was mayor now, and {l} was not.",
        'The village cheered for {w}. "Well done," said {l}, to the floor.',
        "{w} put on the chain of office, which was a bicycle chain.",
    )
    p = winner.reliability
    kept = s.say_one(
        "vote.end",
        {
            True: (
                "The next week everyone got {u}, as promised.",
                "And indeed, the village soon had {u}.",
                "{w} kept the promise, and gave the village {u}.",
            ),
            False: (
                "Nobody ever saw {u}.",
                "As for {u}, {w} could not remember having said such a thing.",
                '"What I said about {u} was a figure of speech," said {w}.',
            ),
        },
        (p, 1 - p),
    )
    mood(s, "w", proud=5, happy=3, excited=1) if kept else mood(s, "l", angry=4, sad=4, calm=1)
    if counted == DRAWN and kept:
        moral(s, "vote.third", "The horse came third.", "Even the horse was content.")
    elif counted == DRAWN:
        moral(
            s, "vote.horse", "Next time they would vote for the horse.", "The horse had promised nothing, and kept it."
        )
    elif kept:
        moral(s, "vote.kept", "It was a strange year, but a good one.", "One vote is not much, but it is not nothing.")
    else:
        moral(
            s,
            "vote.broken",
            "Promises are counted before the votes, and never after.",
            "A mayor is a neighbour with a better chair.",
            "It was nobody's fault, and there were enough of them.",
        )
    s.labels |= {"winner": winner.name, "kept": kept}
    s.ask("who", "Who became mayor?", winner)
    s.ask("who", f"Who promised {one}?", s["a"])
    s.ask("how many", f"How many votes did {winner} get?", number_word(max(n, k)))
    s.ask("yes-no", "Did the new mayor keep the promise?", "yes" if kept else "no")
