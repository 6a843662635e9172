"""Plots about pleasures: a soup, an outing."""

from llmcourse.world.codas import joke, last_word, mood, moral, quirk
from llmcourse.world.lexicon import ITEMS, PLACES, SMALL_THINGS
from llmcourse.world.story import Story
from llmcourse.world.template import number_word


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
        "First {a.or} cut the {i} and wept a little, though not at the {i}.",
        "{a.Or} washed all {k} and lost count at four.",
        "{a} peeled the {i} so thinly that they hardly noticed.",
        "One by one the {i} went into the pot, and the lid went after them.",
    )
    s.say(
        "soup.two",
        "Then {a.or} boiled them for {g} minutes and stirred to the left.",
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
                "{a.Or} added the salt and said a few kind words to it.",
                "{a.Or} took a pinch of salt, and a second pinch for the cook.",
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
        mood(s, "a", proud=5, happy=5)
        moral(
            s,
            "soup.good",
            "Hunger is a fine cook, but salt is a finer one.",
            "Soup remembers who made it.",
            "A good soup is mostly water that believed in itself.",
        )
    else:
        s.say(
            "soup.bad",
            '"Interesting," said {b.full}, and put down the spoon.',
            '{b.full} chewed for a while. "Is there no salt?"',
            "All {n} came, and {r} left early. Only {b.full} stayed, who had a cold.",
            "{b.full} fed it to the dog, and the dog fed it to the cat.",
        )
        mood(s, "a", sad=4, angry=3, calm=1)
        moral(
            s,
            "soup.bad",
            "What is missing is what one tastes.",
            "The smallest thing on the list is the soup.",
            "Guests forgive much, but not aloud.",
        )
    s.labels |= {"salted": salted}
    s.ask("how many", "How many guests were there?", number_word(s["n"]))
    s.ask("how many", f"How many {s['i'].many} did the soup need?", number_word(s["k"]))
    s.ask("yes-no", "Was there salt in the soup?", "yes" if salted else "no")
    s.ask("who", "Who cooked?", s["a"])


FORECASTS = {
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
}


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
        "They took nothing useful, but {b} carried {x.a}.",
        "{b} had packed {x.a}, and would not say why.",
        "In {a.his} bag {a} had bread, cheese, and {x.a}.",
    )
    joke(s)
    if s["b"].quirk.key == "rain":
        said = "rain"
        s.say("trip.always", *FORECASTS["rain"])
    else:
        said = s.say_one("trip.say", FORECASTS, (0.5, 0.5))
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
    _way_home(s, got)
    s.labels |= {"forecast": said, "rained": got == "rain", "right": right}
    s.ask("who", f"Who walked with {s['a']}?", s["b"])
    s.ask("where", "Where did they want to go?", f"to the {s['p']}")
    s.ask("yes-no", "Did it rain that afternoon?", "yes" if got == "rain" else "no")
    s.ask("yes-no", f"Was {s['b']} right about the rain?", "yes" if right else "no")


def _way_home(s: Story, got: str) -> None:
    if got == "rain":
        s.say(
            "trip.wet",
            "They sat under a tree that leaked, and then walked home.",
            "They turned back before the {p}, with wet socks.",
            "A farmer took them home on a cart, between the sheep and {x.the}.",
        )
        mood(s, "a", sad=3, angry=4, calm=2)
        last_word(s)
        moral(
            s,
            "trip.wet",
            "Rain falls on those who are right as well.",
            "The best part of a walk is the chair.",
            "One is never so wet as in company.",
        )
    else:
        s.say(
            "trip.dry",
            "They reached the {p} by three, looked at it, and agreed that it was there.",
            "At the {p} they sat on a fence until a cow asked them to leave.",
            "They sat at the {p} and said nothing for an hour, very well.",
        )
        mood(s, "a", happy=5, calm=4)
        last_word(s)
        moral(
            s,
            "trip.dry",
            "It is not far to anywhere, in company.",
            "A day without news is news.",
            "Some days ask for nothing, and get it.",
        )
