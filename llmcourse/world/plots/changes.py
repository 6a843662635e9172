"""Plots about exchange: one thing for another, one trade for another."""

from llmcourse.world.codas import joke, last_word, mood, moral, quirk
from llmcourse.world.lexicon import SMALL_THINGS
from llmcourse.world.story import Story


def swap(s: Story) -> None:
    """A thing is swapped for a second and that for a third; it ends with the last, with the first, or with none."""
    s.let(a=s.someone, t=s.one_of("swap.thing", SMALL_THINGS))
    s.say(
        "swap.open",
        "{a.full} was tired of {a.his} {t} and took it out to be seen.",
        "{a.full} set out to swap {t.a} for something better.",
        "{a.full} owned {t.a} and had begun to envy people without one.",
        "{a.full} decided not to grow old with {t.a}.",
    )
    joke(s, "t")
    first = s["t"]
    s.let(b=s.someone, u=s.one_of("swap.thing", SMALL_THINGS, but=[first]))
    s.say(
        "swap.one",
        "For the {t} {b.full} offered {u.a}, and looked relieved.",
        '"Give me the {t}," said {b.full}, and held out {u.a}.',
        "{a} met {b.full} and gave the {t} for {u.a}.",
        "{b.full} needed the {t}, and so {a} went on with {u.a}.",
    )
    joke(s, "u")
    quirk(s, "a")
    second = s["u"]
    s.let(c=s.someone, v=s.one_of("swap.thing", SMALL_THINGS, but=[first, second]))
    s.say(
        "swap.two",
        "Then {c.full} saw the {u} and gave {v.a} for it.",
        '"I will give you {v.a} for the {u}," said {c.full}, too quickly.',
        "Soon the {u} went to {c.full}, and {a} carried {v.a} instead.",
        "{c.full} had {v.a} to spare, and {a} had the {u}, but not for long.",
    )
    third = s["v"]
    end = s.say_one(
        "swap.end",
        {
            "last": (
                "At home {a} put the {v} on the table and walked around it twice.",
                '"Now I am rich," said {a} to the {v}.',
                "After that nobody had anything to swap, and {a} kept the {v}.",
            ),
            "back": (
                "By evening {a} missed the {t}, and {b} gave it back for the {v}.",
                '"How is my {t}?" {a} asked {b} at dusk, and paid with the {v} to find out.',
                "In the end {b} took the {v}, and {a} went home with the {t} again.",
            ),
            "none": (
                "On the bridge the {v} slipped, and the river gave nothing for it.",
                "{a} put the {v} down for a moment, and a cart took it away.",
                "On the way home {a} lent the {v} to a stranger with an honest hat.",
            ),
        },
        (0.4, 0.35, 0.25),
    )
    kept = {"last": third, "back": first, "none": None}[end]
    if end == "last":
        mood(s, "a", proud=4, happy=3, excited=2)
        last_word(s, "v")
        moral(
            s, "swap.last", "The last swap is the best, or at least the last.", "New things are old things of others."
        )
    elif end == "back":
        mood(s, "a", happy=4, calm=4)
        last_word(s, "t")
        moral(s, "swap.back", "It takes three swaps to stay where one is.", "One has to give a thing away to see it.")
    else:
        mood(s, "a", sad=4, angry=4, calm=2)
        moral(s, "swap.none", "Nothing is easy to carry.", "Whoever swaps long enough will have walked a lot.")
    s.labels |= {"end": end, "left_with": kept.key if kept else "nothing"}
    s.ask("who", f"Who has the {first.key} now?", s["a"] if end == "back" else s["b"])
    s.ask("who", f"Who has the {second.key} now?", s["c"])
    s.ask("who", f"Who gave {s['a']} the {third.key}?", s["c"])
    s.ask("what", f"What did {s['a']} have at first?", first.forms["a"])
    s.ask("what", f"What did {s['a']} have in the end?", kept.forms["a"] if kept else "nothing")


# how the day of each went, by whether the first and the second of them did well
VERDICTS = {
    (True, True): (
        '"We should do this more often," said {b}. They never did.',
        "In the evening each was a little sorry to have been so good at it.",
        "They shook hands at dusk, and each gave back a clean apron.",
    ),
    (True, False): (
        '"It is harder than it looks," said {b} at dusk. "It is not," said {a}.',
        "In the evening {b} asked {a} for the secret. {a} had none.",
        "At dusk {a} came back with flowers, and {b} with a bandage.",
    ),
    (False, True): (
        '"What do you do all day?" asked {b} at dusk. {a} did not answer.',
        "In the evening {b} offered to stay, and {a} begged for the old apron.",
        "At dusk {b} came back with flowers, and {a} with a bandage.",
    ),
    (False, False): (
        'In the evening they met in the middle. "Never again," said {a}. "Never," said {b}.',
        "At dusk they changed back, and both trades were seen to sigh.",
        "That evening {b} and {a} went through the bill together, line by line.",
    ),
}


def shift(s: Story) -> None:
    """Two people do each other's work for a day, and each does it well or badly."""
    s.let(a=s.someone)
    s.let(b=lambda: s.world.distribution("shift.other", tuple(p for p in s.world.people if p.job is not s["a"].job)))
    s.say(
        "shift.open",
        "{a.full} and {b.full} changed places for a day.",
        '{a.full} said that other work was easy. "Then do mine," said {b.full}, "and I will do yours."',
        "{a.full} bet {b.full} that each could do the other's work.",
        "{a.full} envied {b.full}, who envied back, and they swapped until evening.",
    )
    s.say(
        "shift.where",
        "So {a} went {b.to}, and {b} went {a.to}.",
        "By eight {a} stood {b.at} and {b} stood {a.at}, each in the wrong apron.",
        "That morning {a} was {b.at}, {b} was {a.at}, and a dog went from one to the other.",
    )
    quirk(s, "a")
    well = s.say_one(
        "shift.one",
        {
            True: (
                "Nobody {b.at} noticed the difference, which {a} took as praise.",
                "{a.Or} did so well {b.at} that people came to watch.",
                "{a.Or} had a gift for the work, and was asked to come again.",
            ),
            False: (
                "By noon {a} had broken two things and mended the wrong one.",
                "Soon there was smoke {b.at}, and a queue of people with advice.",
                "{a.Or} was asked to go home, first kindly and then less so.",
            ),
        },
        (0.5, 0.5),
    )
    also = s.say_one(
        "shift.two",
        {
            True: (
                "{b}, meanwhile, had finished by ten and was dusting the ceiling.",
                "As for {b}, one heard only good things, some of them from {b}.",
                "Not a single complaint was heard {a.at}, where {b} hummed at work.",
            ),
            False: (
                "{b}, meanwhile, had locked the door and was hiding behind it.",
                "As for {b}, one heard mostly crashing.",
                "{b} asked a customer how it was done, and then the customer's mother.",
            ),
        },
        (0.5, 0.5),
    )
    s.say(f"shift.{well}.{also}", *VERDICTS[well, also])
    if well:
        mood(s, "a", proud=5, happy=3, calm=1)
        moral(s, "shift.well", "Anything is easy for a day.", "The other apron always has the better pockets.")
    else:
        mood(s, "a", angry=3, sad=3, calm=3, afraid=1)
        moral(s, "shift.badly", "A trade is longer than it is wide.", "One should know what one cannot do, and where.")
    s.labels |= {"well": well, "also": also}
    s.ask("who", f"Who worked {s['b'].job.at} that day?", s["a"])
    s.ask("who", f"Who worked {s['a'].job.at} that day?", s["b"])
    s.ask("yes-no", f"Did {s['a']} do {s['b'].forms['poss']} work well?", "yes" if well else "no")
    s.ask("yes-no", f"Did {s['b']} do {s['a'].forms['poss']} work well?", "yes" if also else "no")
