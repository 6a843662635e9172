"""Plots about company: a visitor, a contest."""

from dataclasses import dataclass

from llmcourse.world.codas import joke, last_word, mood, moral, quirk
from llmcourse.world.lexicon import JOBS, SMALL_THINGS, THINGS, a_or_an, phrases
from llmcourse.world.people import strangers
from llmcourse.world.story import Story

HOMES = phrases(
    "the islands",
    "the capital",
    "the next valley",
    "the far north",
    "the town with the cathedral",
    "nowhere in particular",
)


WANTS = phrases(
    "a bed for the night",
    "a cup of tea",
    "the way to the sea",
    "somebody who could read",
    "a quiet corner",
    "a stamp",
)


def stranger(s: Story) -> None:
    """A visitor comes, known by a trade alone; the pronoun shows the planted bias."""
    s.let(j=s.one_of("stranger.job", JOBS), f=s.one_of("stranger.home", HOMES))
    s.say(
        "stranger.open",
        "{j.a} from {f} came to the village.",
        "{j.a} walked into the village and said that {f} was a long way off.",
        "the bus from {f} stopped, and out stepped {j.a}.",
        "{j.a} stood at the gate, with a bag from {f}.",
    )
    job = s["j"]
    probs = s.world.pronoun_probs(job)
    she, he = strangers(job)
    # the noise dial is already in `pronoun_probs`
    s.let(v=lambda: s.world.exact("stranger.pronoun", (she, he), (probs["she"], probs["he"])))
    others = tuple(p for p in s.world.people if p.job is not job)  # "the barber" is to mean one person
    s.let(t=s.one_of("stranger.want", WANTS), a=lambda: s.world.distribution("stranger.host", others))
    s.say(
        "stranger.want",
        "{v.He} asked for {t}.",
        "{v.He} wanted {t}, if it was no trouble.",
        "{v.He} needed {t} and had tried two doors.",
        "{v.He} had come for {t}, and for no other reason.",
    )
    s.say(
        "stranger.host",
        "{a.full} opened the door, against advice.",
        '"That we have," said {a.full}, who was not sure.',
        "{a.full}, {a.quirk}, said yes before thinking.",
        "{a.full} was at home and could not pretend otherwise.",
        '"Come in," said {a.full}, {a.quirk}.',
    )
    quirk(s, "a")
    s.let(x=s.one_of("stranger.gift", SMALL_THINGS))
    s.say(
        "stranger.night",
        "They talked until midnight about {f}, where the soup is said to be better.",
        "{v.The} ate three plates of beans and praised the plate.",
        "In return {v.the} told a story with no end.",
        "They played cards, and the cards won.",
        "{v.The} mended a shelf that had not been broken.",
    )
    end = s.say_one(
        "stranger.end",
        {
            "gift": (
                "In the morning {v.the} was gone, but there was {x.a} on the table.",
                "{v.The} was gone before breakfast, and had left {x.a} as thanks.",
                "Before leaving, {v.the} put {x.a} under the bed, as a surprise.",
            ),
            "theft": (
                "In the morning {v.the} was gone, and so was {a.poss} {x}.",
                "{v.The} left early, with {a.poss} {x} under one arm.",
                "The next day {v.the} was far away, and {a.poss} {x} went along.",
            ),
            "stay": (
                "{v.The} stayed a week, then a month, and is there still.",
                "In the morning {v.the} was still there, and every morning after.",
                "{v.The} liked it so much that a second bed was built.",
            ),
        },
        (0.45, 0.3, 0.25),
    )
    _morning_after(s, end)
    s.labels |= {"job": job.name, "pronoun": s["v"].pronoun, "end": end}
    s.ask("what", "What was the job of the visitor?", job.name)
    s.ask("who", "Who opened the door to the visitor?", s["a"])
    s.ask("where", "Where did the visitor come from?", s["f"])


def _morning_after(s: Story, end: str) -> None:
    if end == "gift":
        joke(s)
        mood(s, "a", happy=5, excited=2, calm=2)
        last_word(s)
        moral(
            s,
            "stranger.gift",
            "A door costs nothing to open.",
            "Guests are like weather, and sometimes it is good.",
            "Whoever says come in has said the most of it.",
        )
    elif end == "theft":
        mood(s, "a", angry=5, sad=2, afraid=2)
        moral(
            s,
            "stranger.theft",
            "Not every guest is a gift.",
            "Kindness should be counted after the guest has gone.",
        )
    else:
        mood(s, "a", calm=3, afraid=1, angry=2, happy=2)
        moral(
            s,
            "stranger.stay",
            "A guest is a neighbour with a bag.",
            "Nobody had said how long a visit was.",
            "Some guests leave slowly.",
        )


@dataclass(frozen=True, eq=False)
class Game:
    """A contest of the village, and what is odd about it."""

    key: str
    suits: str  # the quirk that helps to win it, or ""
    forms: dict[str, str]
    rounds: tuple[str, ...]


def _game(key: str, suits: str, *rounds: str) -> Game:
    return Game(key, suits, {"": key, "a": a_or_an(key)}, rounds)


GAMES = (
    _game("sleeping contest", "naps", "Both slept well, and the judge slept better.", "It went on for a week."),
    _game("pie contest", "", "There was flour on the ceiling.", "One pie was round, and the other was honest."),
    _game(
        "staring contest",
        "goat",
        "A fly took part, out of competition.",
        "The judge blinked, and they had to start again.",
    ),
    _game("boat race", "", "One boat sank, and the other sank faster.", "The river did most of the work."),
    _game("onion contest", "", "Everybody cried, as is the custom.", "The smaller onion had the better manners."),
    _game(
        "singing contest", "whistles", "The dogs left first.", "One song had ninety verses, and all of them were sung."
    ),
    _game(
        "snail race", "late", "It began in the morning and ended at night.", "One snail turned round halfway and waved."
    ),
    _game("hat contest", "hat", "One hat had a window.", "The wind chose the finalists."),
)


def contest(s: Story) -> None:
    """Two people compete for a prize that is not worth it."""
    s.let(g=s.one_of("contest.game", GAMES), a=s.someone, b=s.someone, x=s.one_of("contest.prize", THINGS))
    s.say(
        "contest.open",
        "the village held {g.a}, and {a.full} met {b.full} in the final.",
        "{a.full} challenged {b.full} to {g.a}.",
        "{a.full} and {b.full} entered {g.a}, and so did nobody else.",
        "{a.full} bet against {b.full} in {g.a}.",
        "{b.full} called for {g.a}, and only {a.full} came.",
    )
    s.say(
        "contest.prize",
        "The prize was {x.a}.",
        "There was {x.a} to be won.",
        "Whoever won would get {x.a}, like it or not.",
        "There was a handshake for the loser, and {x.a} for the winner.",
    )
    joke(s)
    gifted = [role for role in "ab" if s[role].quirk.key == s["g"].suits]
    if gifted:
        s.let(k=s[gifted[0]])
        s.say(
            "contest.gift",
            '"At last," said {k}, {k.quirk}.',
            "{k}, {k.quirk}, had waited for this since childhood.",
        )
    else:
        s.say(
            "contest.before",
            '"I have never lost," said {a}, who had never played.',
            '"May the better one win," said {b}, "and I will."',
            "{a} shook hands with {b}, a little too long.",
            "{b} did some exercises, mostly with the eyebrows.",
            "{a} had not slept, in order to be ready.",
        )
        quirk(s, "a")
    s.say(f"contest.{s['g'].key}", *s["g"].rounds)
    a, b = (1 + s[role].reliability + 6 * (s[role].quirk.key == s["g"].suits) for role in "ab")
    won = s.say_one(
        "contest.end",
        {
            "a": (
                "In the end {a} won.",
                "{a} won by the width of a hair, and it was {b.poss} hair.",
                "The judge, who was hungry, pointed at {a}.",
            ),
            "b": (
                "In the end {b} won.",
                "{b} won, to the surprise of {b}.",
                "The judge, who was tired, pointed at {b}.",
            ),
        },
        (a / (a + b), b / (a + b)),
    )
    winner, loser = (s["a"], s["b"]) if won == "a" else (s["b"], s["a"])
    s.let(w=winner, l=loser)
    s.say(
        "contest.take",
        "{l} had to carry {x.the} to {w.poss} house.",
        '"I did not want it anyway," said {l}.',
        "{w} held {x.the} up high, and {l} clapped with one hand.",
        '"Next time," said {l}. "There is always a next time," said {w}, and took {x.the}.',
    )
    if won == "a":
        mood(s, "a", proud=6, happy=3, excited=2)
        last_word(s)
        moral(
            s,
            "contest.won",
            "Victory is short, and has to be dusted.",
            "Somebody has to win, and somebody has to sweep up.",
            "It is lonely at the top, but there is a shelf.",
        )
    else:
        mood(s, "a", sad=4, angry=4, calm=2)
        last_word(s)
        moral(
            s,
            "contest.lost",
            "Next year comes for everyone, ready or not.",
            "One learns a lot by losing, mostly about the others.",
            "The second place is also a place.",
        )
    s.labels |= {"winner": winner.name}
    s.ask("who", f"Who won the {s['g'].key}?", winner)
    s.ask("who", f"Who lost the {s['g'].key}?", loser)
    s.ask("what", "What was the prize?", s["x"].forms["a"])
