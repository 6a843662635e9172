"""Plots about living together: a visitor, a contest, a forbidding sign, a soup, an outing."""

from dataclasses import dataclass

from llmcourse.world.codas import joke, mood, moral, quirk
from llmcourse.world.lexicon import ITEMS, JOBS, PLACES, SMALL_THINGS, THINGS, phrases
from llmcourse.world.people import strangers
from llmcourse.world.story import Story
from llmcourse.world.template import number_word

HOMES = phrases(
    "the islands",
    "the capital",
    "the next valley",
    "the far north",
    "a town with a cathedral",
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
        "{j.a} walked into the village and said that {f} was far away.",
        "the bus from {f} stopped, and out stepped {j.a}.",
        "there was {j.a} at the gate, with a bag from {f}.",
    )
    job = s["j"]
    probs = s.world.pronoun_probs(job)
    she, he = strangers(job)
    # the noise dial is already in `pronoun_probs`
    s.let(v=lambda: s.world.exact("stranger.pronoun", (she, he), (probs["she"], probs["he"])))
    s.let(t=s.one_of("stranger.want", WANTS), a=s.someone)
    s.say(
        "stranger.want",
        "{v.He} asked for {t}.",
        "{v.He} wanted {t}, if it was no trouble.",
        "{v.He} needed {t} and had tried two doors.",
        "{v.He} had come for {t}, and for no other reason.",
    )
    s.say(
        "stranger.host",
        "{a.full} opened the third door.",
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
                "{v.The} left early, and left {x.a} as thanks.",
                "Before leaving, {v.the} put {x.a} under the bed, as a surprise.",
            ),
            "theft": (
                "In the morning {v.the} was gone, and so was {x.the}.",
                "{v.The} left early, with {x.the} under one arm.",
                "The next day {v.the} was far away, and {x.the} with {v.him}.",
            ),
            "stay": (
                "{v.The} stayed a week, then a month, and is there still.",
                "In the morning {v.the} was still there, and every morning after.",
                "{v.The} liked it so much that a second bed was built.",
            ),
        },
        (0.45, 0.3, 0.25),
    )
    if end == "gift":
        joke(s)
        mood(s, "a", happy=5, excited=2, calm=2)
        moral(s, "stranger.gift", "A door costs nothing to open.", "Guests are like weather, and sometimes it is good.")
    elif end == "theft":
        mood(s, "a", angry=5, sad=2, afraid=2)
        moral(
            s,
            "stranger.theft",
            "Not every guest was brought up on beans.",
            "Kindness should be counted after the guest has gone.",
        )
    else:
        mood(s, "a", calm=3, afraid=1, angry=2, happy=2)
        moral(s, "stranger.stay", "A guest is a neighbour with a bag.", "Nobody had said how long a night was.")
    s.labels |= {"job": job.name, "pronoun": s["v"].pronoun, "end": end}
    s.ask("what", "What was the job of the visitor?", job.name)
    s.ask("who", "Who opened the door to the visitor?", s["a"])
    s.ask("where", "Where did the visitor come from?", s["f"])


@dataclass(frozen=True, eq=False)
class Game:
    """A contest of the village, and what is odd about it."""

    key: str
    forms: dict[str, str]
    rounds: tuple[str, ...]


def _game(key: str, *rounds: str) -> Game:
    return Game(key, {"": key, "a": f"an {key}" if key[0] in "aeiou" else f"a {key}"}, rounds)


GAMES = (
    _game("sleeping contest", "Both slept well, and the judge slept better.", "It went on for a week."),
    _game("pie contest", "There was flour on the ceiling.", "One pie was round, and the other was honest."),
    _game("staring contest", "A fly decided it.", "After an hour the judge blinked and was sent home."),
    _game("boat race", "One boat sank, and the other sank faster.", "The river did most of the work."),
    _game("onion contest", "Everybody cried, as is the custom.", "The smaller onion had the better manners."),
    _game("singing contest", "The dogs left first.", "One song had ninety verses, and all of them were sung."),
    _game("snail race", "It began in the morning and ended at night.", "One snail turned round halfway and waved."),
    _game("hat contest", "One hat had a window.", "The wind chose the finalists."),
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
        "The winner was to have {x.a}, and the loser a handshake.",
    )
    joke(s)
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
    p = (1 + s["a"].reliability) / (2 + s["a"].reliability + s["b"].reliability)
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
        (p, 1 - p),
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
        moral(
            s,
            "contest.won",
            "Victory is short, and has to be dusted.",
            "Somebody has to win, and somebody has to sweep up.",
        )
    else:
        mood(s, "a", sad=4, angry=4, calm=2)
        moral(
            s,
            "contest.lost",
            "There is next year, said the snail.",
            "One learns a lot by losing, mostly about the others.",
        )
    s.labels |= {"winner": winner.name}
    s.ask("who", f"Who won the {s['g'].key}?", winner)
    s.ask("who", f"Who lost the {s['g'].key}?", loser)
    s.ask("what", "What was the prize?", s["x"].forms["a"])


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


def sign(s: Story) -> None:
    """A sign forbids something; somebody does it, or does not."""
    s.let(a=s.someone, b=s.someone, p=s.one_of("sign.place", PLACES), d=s.one_of("sign.ban", BANS))
    s.say(
        "sign.open",
        "{a.full} put up a sign at the {p}.",
        "{a.full} painted a sign and nailed it up at the {p}.",
        "there was a new sign at the {p}, and {a.full} stood beside it.",
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
        "Nobody had ever done so, but now it came to mind.",
        "It was not the first sign there, and none of the others was obeyed.",
        "The paint was still wet, and so was the painter.",
        "Two cows read it and moved on.",
    )
    s.say(
        "sign.come",
        "Then {b.full} came along and read it twice.",
        "{b.full} came by and could not look away.",
        "Along came {b.full}, {b.quirk}.",
        "The first to see it was {b.full}.",
    )
    quirk(s, "b")
    did = s.say_one(
        "sign.end",
        {
            True: (
                "{b} waited until noon, and {d.did}.",
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
    if did:
        s.say(
            "sign.did",
            '"Can you not read?" cried {a}. "Yes," said {b}, "but not on a {day}."',
            "{a} saw it all and made the sign bigger.",
            '"I knew it," said {a}, who had hoped for it since breakfast.',
            "{a} blew a whistle, and three dogs came.",
        )
        mood(s, "a", angry=6, sad=1, excited=1)
        moral(
            s,
            "sign.did",
            "Write down what is forbidden, and it will be done by Friday.",
            "A sign is an idea for those who have none.",
        )
    else:
        s.say(
            "sign.didnt",
            '"You see?" said {a} to the sign. "It works."',
            "{a} thanked {b} with a firm nod.",
            "{a} was almost disappointed, but did not show it.",
        )
        mood(s, "a", proud=5, happy=3, calm=2)
        moral(s, "sign.didnt", "Not to do a thing is also work.", "Peace is mostly made of things that did not happen.")
    s.labels |= {"did": did}
    s.ask("who", "Who put up the sign?", s["a"])
    s.ask("where", "Where was the sign?", f"at the {s['p']}")
    s.ask("yes-no", f"Did {s['b']} do what the sign forbade?", "yes" if did else "no")


def soup(s: Story) -> None:
    """A recipe in three parts, one of which is forgotten."""
    s.let(a=s.someone, n=s.one_of("soup.guests", range(3, 10)))
    s.say(
        "soup.open",
        "{a.full} cooked for {n} guests.",
        "{a.full} invited {n} people to supper and remembered it at five.",
        "{a.full} promised a soup to {n} hungry neighbours.",
        "{a.full} wanted to impress {n} guests with a soup.",
    )
    s.let(
        i=s.one_of("soup.item", [i for i in ITEMS if i.many in ("onions", "turnips", "eggs", "plums", "apples")]),
        k=s.one_of("soup.k", range(5, 13)),
    )
    s.say(
        "soup.book",
        "The book asked for {k} {i}, an hour of patience, and salt.",
        "It takes {k} {i}, salt, and one to two hours.",
        "{a.His} grandmother always took {k} {i} and a little salt.",
        "The recipe was short: {k} {i}, water, salt, and courage.",
    )
    s.let(g=s.one_of("soup.minutes", (5, 10, 15, 20, 30, 40)))
    s.say(
        "soup.one",
        "First {a} cut the {i} and wept a little, though not at the {i}.",
        "{a.Or} washed all {k} and lost count at four.",
        "{a} peeled them so thinly that they hardly noticed.",
        "One by one the {i} went into the pot, and the lid went after them.",
    )
    s.say(
        "soup.two",
        "Then {a} boiled them for {g} minutes and stirred to the left.",
        "They boiled for {g} minutes, then they boiled over.",
        "After {g} minutes the spoon stood up by itself.",
        "The clock said {g} minutes, and the nose said enough.",
    )
    quirk(s, "a")
    salted = s.say_one(
        "soup.salt",
        {
            True: (
                "Last came the salt, which many forget.",
                "{a} added the salt and said a few kind words to it.",
                "Then {a} took a pinch of salt, and a second pinch for the cook.",
            ),
            False: (
                "{a} did not think of the salt.",
                "The salt stayed on the shelf, unasked.",
                "Only the salt was missing, and nobody had told it to come.",
            ),
        },
        (0.55, 0.45),
    )
    s.let(b=s.someone, r=max(1, s["n"] - 1))
    if salted:
        s.say(
            "soup.good",
            '"This is good," said {b.full}, in a tone of alarm.',
            "{b.full} had three bowls and asked what it was.",
            "All {n} came, and {b.full} licked the spoon.",
            '"My mother could not have done it," said {b.full}, "and she never did."',
        )
        mood(s, "a", proud=5, happy=5, excited=1)
        moral(s, "soup.good", "Hunger is a fine cook, but salt is a finer one.", "Soup remembers who made it.")
    else:
        s.say(
            "soup.bad",
            '"Interesting," said {b.full}, and put down the spoon.',
            '{b.full} chewed for a while. "Is there no salt?"',
            "All {n} came, and {r} left early. Only {b.full} stayed, who had a cold.",
            "{b.full} fed it to the dog, and the dog fed it to the cat.",
        )
        mood(s, "a", sad=4, angry=3, calm=1)
        moral(s, "soup.bad", "What is missing is what one tastes.", "The smallest thing on the list is the soup.")
    s.labels |= {"salted": salted}
    s.ask("how many", "How many guests were there?", number_word(s["n"]))
    s.ask("how many", f"How many {s['i'].many} did the soup need?", number_word(s["k"]))
    s.ask("yes-no", "Was there salt in the soup?", "yes" if salted else "no")
    s.ask("who", "Who cooked?", s["a"])


def trip(s: Story) -> None:
    """Two people set out; one forecasts rain, the other sun."""
    s.let(a=s.someone, b=s.someone, p=s.one_of("trip.place", PLACES), x=s.one_of("trip.thing", SMALL_THINGS))
    s.say(
        "trip.open",
        "{a.full} and {b.full} set out for the {p}.",
        "{a.full} asked {b.full} to come along to the {p}.",
        "{a.full} met {b.full}, and they agreed to walk to the {p}.",
        "{a.full} wanted to see the {p} again, and {b.full} came along.",
        "{a.full} had a free day, and walked with {b.full} to the {p}.",
    )
    s.say(
        "trip.pack",
        "{a} brought {x.a}, just in case.",
        "They took no food, but {b} carried {x.a}.",
        "{b} packed {x.a}, and would not say why.",
        "In {a.his} bag {a} had bread, cheese, and {x.a}.",
    )
    joke(s)
    said = s.say_one(
        "trip.say",
        {
            "rain": (
                '"It will rain by noon," said {b}.',
                "{b} smelled rain.",
                "{b} looked at the ants and spoke of rain.",
            ),
            "sun": (
                '"By noon it will be dry," said {b}.',
                "{b} was sure of a dry afternoon.",
                '"No rain after noon," said {b}, and licked a finger.',
            ),
        },
        (0.5, 0.5),
    )
    quirk(s, "b")
    got = s.say_one(
        "trip.got",
        {
            "rain": (
                "At noon it rained so hard that the fish complained.",
                "Just after noon the sky came down.",
                "From noon on it rained, first on one side and then on the other.",
            ),
            "sun": (
                "At noon the sun was out, and it stayed.",
                "By noon there was not a cloud in the sky.",
                "The afternoon was dry, and so was the conversation.",
            ),
        },
        (0.5, 0.5),
    )
    right = said == got
    if right:
        s.say(
            "trip.right",
            '"What did I say?" said {b}, nine times.',
            "{b} had been right, and mentioned it.",
            '"I have a knee for such things," said {b}.',
        )
    else:
        s.say(
            "trip.wrong",
            "{b} said that this did not count.",
            '"I meant yesterday," said {b}.',
            '"It was right when I said it," said {b}.',
        )
    if got == "rain":
        s.say(
            "trip.wet",
            "They sat under a tree that leaked, and then walked home.",
            "They turned back before the {p}, with wet socks.",
            "A farmer took them home on a cart full of wet sheep.",
        )
        mood(s, "a", sad=3, angry=4, calm=2)
        moral(s, "trip.wet", "Rain falls on those who are right as well.", "The best part of a walk is the chair.")
    else:
        s.say(
            "trip.dry",
            "They reached the {p} by three, looked at it, and agreed that it was there.",
            "At the {p} they sat on a fence until a cow asked them to leave.",
            "They ate their bread at the {p} and said nothing for an hour, very well.",
        )
        mood(s, "a", happy=5, calm=4, excited=1)
        moral(s, "trip.dry", "It is not far to anywhere, in company.", "A day without news is news.")
    s.labels |= {"forecast": said, "rained": got == "rain", "right": right}
    s.ask("who", f"Who walked with {s['a']}?", s["b"])
    s.ask("where", "Where did they want to go?", f"to the {s['p']}")
    s.ask("yes-no", "Did it rain that afternoon?", "yes" if got == "rain" else "no")
    s.ask("yes-no", f"Was {s['b']} right about the rain?", "yes" if right else "no")
