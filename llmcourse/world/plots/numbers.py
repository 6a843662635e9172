"""Plots that reckon: counting, haggling, a rumour that doubles."""

from llmcourse.world.codas import joke, last_word, mood, moral, quirk
from llmcourse.world.lexicon import ITEMS, PLACES, THINGS, Item, quantity
from llmcourse.world.story import Story
from llmcourse.world.template import number_word

COIN = Item("coin", "coins")


SCARES = (Item("goose", "geese"), Item("wolf", "wolves"), Item("bear", "bears"), Item("ghost", "ghosts"))


def count(s: Story) -> None:
    """Somebody has so many of something; some go, some come; how many are left?"""
    s.let(a=s.someone, n=s.one_of("count.start", range(6, 16)), i=s.one_of("count.item", ITEMS))
    s.say(
        "count.open",
        "{a.full} had {n} {i} in a basket.",
        "{a.full} set out with {n} {i} and the best intentions.",
        "{a.full} carried {n} {i} through the village.",
        "{a.full} took {n} {i} to a wedding.",
        "{a.full} counted {n} {i} and wrote the number on the wall.",
    )
    s.let(p=s.one_of("count.place", PLACES))
    item, left = s["i"], s["n"]
    s.labels["start"] = left
    quirk(s, "a")
    for beat in (_give, _lose, _gain):
        left = beat(s, left)
    s.let(r=quantity(left, item), c=s.someone)
    s.say(
        "count.ask",
        '"How many are left?" asked {c.full}.',
        "{c.full} wanted to know how many there were now.",
        '"Only a few left, I see," said {c.full}, who could not see.',
        '{c.full} came to look. "What does that make?"',
    )
    s.say("count.answer", '"{r.N}," said {a}.', "{a} counted them. There {r.was} {r.n}.", '"{r.Cap}," said {a}.')
    s.say(
        "count.end",
        "{c} nodded, as if that were the right number.",
        '"There is soup in that," said {c}.',
        '"When I was young there were more," said {c}.',
        '"One could build a house with that," said {c}, "a small one."',
        "{c} wrote it down and lost the paper.",
    )
    if left < 5:
        mood(s, "a", sad=4, angry=2, calm=3)
    else:
        mood(s, "a", happy=4, proud=3, calm=2)
    moral(
        s,
        "count",
        "Numbers are honest, but they do not stay.",
        "One basket is enough, if one does not share it.",
        "What one gives away cannot be dropped.",
    )
    s.labels["left"] = left
    s.ask("how many", f"How many {item.many} were left?", number_word(left))
    s.ask("how many", f"How many {item.many} were there at first?", number_word(s["n"]))
    s.ask("who", f"Who had the {item.many}?", s["a"])


def _give(s: Story, left: int) -> int:
    s.let(b=s.someone, k=s.one_of("count.give", range(1, min(left, 6))))
    s.say(
        "count.give",
        "{a.Or} gave {k} of the {i} to {b.full}, who had asked for none.",
        "{b.full} had a birthday, or said so, and got {k} of the {i}.",
        "{b.full} looked cold, or poor, or both, and received {k} of the {i}.",
        "{b.full} took {k} of the {i} and said that this was the custom.",
        "{k.Cap} of the {i} went to {b.full}, in return for a song.",
    )
    s.ask("how many", f"How many did {s['b']} get?", number_word(s["k"]))
    return left - s["k"]


def _lose(s: Story, left: int) -> int:
    if left < 2:
        return left
    s.let(k=s.one_of("count.lose", range(1, min(left, 4))))
    lost = s.say_one(
        "count.lost",
        {
            False: ("Nothing fell, which was unusual.", "For once no goat came by."),
            True: (
                "A goat ate {k} and looked innocent.",
                "On the way {a} dropped {k} at the {p}.",
                "{a} tripped, and lost {k} in the mud.",
                "A bird asked the way, and left with {k}.",
            ),
        },
        (0.25, 0.75),
    )
    return left - s["k"] if lost else left


def _gain(s: Story, left: int) -> int:
    s.let(k=s.one_of("count.gain", range(1, 7)))
    gained = s.say_one(
        "count.gained",
        {
            False: ("Nobody gave any back.", "An uncle promised more, and brought none."),
            True: (
                "At the {p} {a} found {k} more, and nobody was looking.",
                "An aunt came by and added {k}.",
                "Then a neighbour returned {k} from last year.",
                "The priest had too many {i} and gave {a} {k}.",
            ),
        },
        (0.45, 0.55),
    )
    return left + s["k"] if gained else left


def market(s: Story) -> None:
    """Somebody haggles; the price that is paid is the seller's last one."""
    s.let(a=s.someone, b=s.someone, x=s.one_of("market.thing", THINGS), z=s.one_of("market.purse", range(10, 31)))
    s.say(
        "market.open",
        "{a.full} went to the market with {z} coins to buy {x.a}.",
        "{a.full} put {z} coins into a sock and went to buy {x.a}.",
        "{a.full} needed {x.a} and had {z} coins.",
        "{a.full} sold a cow and went with {z} coins to look for {x.a}.",
    )
    purse = s["z"]
    quirk(s, "a")
    s.let(p=s.one_of("market.ask", range(6, min(purse, 20) + 1)))
    s.say(
        "market.seller",
        '{b.full} had {x.a}. "{p.Cap} coins," said {b}, and patted it.',
        'It so happened that {b.full} was selling {x.a}. "Only {p} coins," said {b}, and dusted it.',
        '"For you, {p} coins," said {b.full}, and held up {x.a}.',
        "With a straight face, {b.full} asked {p} coins for {x.a} in the window.",
    )
    joke(s)
    s.let(o=s.one_of("market.offer", range(2, s["p"] - 2)))
    s.say(
        "market.offer",
        '"{o.Cap}," said {a}.',
        '{a} laughed. "{o.Cap}, and no more."',
        "{a} offered {o}.",
        '"Would you take {o}?" asked {a}.',
        '"I was thinking of {o}," said {a}, looking at the sky.',
    )
    s.let(f=s.one_of("market.last", range(s["o"] + 1, s["p"])))
    s.say(
        "market.last",
        '"{f.Cap}, and my children go barefoot," said {b}, who had no children.',
        '"{f.Cap}," said {b}, "because it is nearly evening." It was ten in the morning.',
        '{b} sighed like a door. "{f.Cap} is my last word."',
        '"{f.Cap}," said {b}. "It belonged to my mother." It had a price tag.',
    )
    bought = s.say_one(
        "market.end",
        {
            True: (
                "They shook hands on it.",
                '"Done," said {a}, and paid.',
                "{a} counted out {f} coins, slowly.",
                "The coins went one way, and {x.the} went the other.",
            ),
            False: (
                '"No," said {a}, and walked away with empty hands.',
                "{a} did not buy it, and it did not seem to mind.",
                '"I will think about it," said {a}, and never did.',
            ),
        },
        (0.65, 0.35),
    )
    left = purse - s["f"] if bought else purse
    s.let(r=quantity(left, COIN))
    s.say(
        "market.rest",
        "That left {a.orhim} with {r}.",
        "So {a.or} came away with {r}.",
        "There {r.was} {r} left in the purse.",
        "In the evening {a} still had {r}.",
    )
    if bought:
        mood(s, "a", happy=4, proud=4, calm=1)
        last_word(s)
        moral(
            s,
            "bought",
            "A good price is one that hurts both a little.",
            "What is cheap is carried home twice.",
            "Both of them thought that they had won, and so it was a market.",
        )
    else:
        mood(s, "a", sad=3, angry=2, calm=3)
        moral(
            s,
            "not-bought",
            "The cheapest thing is the one that stays in the shop.",
            "A full purse is also a purchase.",
            "One can also be rich in things not bought.",
        )
    x = s["x"].key
    s.labels |= {"bought": bought, "left": left}
    s.ask("who", f"Who was selling the {x}?", s["b"])
    s.ask("yes-no", f"Did {s['a']} buy the {x}?", "yes" if bought else "no")
    s.ask("how many", f"How many coins did {s['a']} have at first?", number_word(purse))
    s.ask("how many", f"How many coins did {s['a']} have in the end?", number_word(left))
    s.ask("how many", "What was the last price, in coins?", number_word(s["f"]))


# dealt out in turns: no two tellers in a row use the same words
PASSES = (
    "{t} told {b.full}, who heard {k}.",
    '{t} ran to {b.full} with the news. "{k.Cap}!" said {t}, and sat down.',
    "By the time {b.full} knew of it, there were {k}.",
    "When {t} met {b.full}, there were {k} already.",
    '"How many?" asked {b.full}. "At least {k}," said {t}.',
    '{b.full} had it from {t}. "{k.Cap} of them," said {b}.',
    '"I heard of {k}," said {b.full}, to whom {t} had whispered.',
    "{t} needed both hands to show how many, and {b.full} counted {k}.",
    '"{k.Cap}, and all of them hungry," said {t} to {b.full}.',
)


def rumour(s: Story) -> None:
    """A story doubles each time it is told."""
    s.let(
        a=s.someone,
        n=s.one_of("rumour.n", range(2, 6)),
        w=s.one_of("rumour.scare", SCARES),
        p=s.one_of("rumour.place", PLACES),
    )
    s.say(
        "rumour.open",
        "{a.full} saw {n} {w} near the {p}.",
        "{a.full} came back from the {p} and spoke of {n} {w} there.",
        "{a.full} thought that {n} {w} were standing by the {p}.",
        "{a.full} ran home, because {n} {w} had looked at {a.him} near the {p}.",
    )
    first, n = s["n"], s["n"]
    teller = s["a"]
    for i in range(3):
        n *= 2
        s.let(t=teller, b=s.someone, k=n)
        s.say(
            f"rumour.pass{i}",
            *PASSES[i::3],
        )
        teller = s["b"]
        if i == 1:
            quirk(s, "b")
    s.say(
        "rumour.back",
        "In the evening {b} warned {a} about {k} {w}.",
        '"{k.Cap} {w}!" {b} cried to {a} at dusk. "Stay at home!"',
        'That night {b} knocked at {a.poss} door and whispered: "{k.Cap} {w}!"',
    )
    s.say(
        "rumour.end",
        '"That is far more than I saw," said {a}, and believed every one.',
        '"I only saw {n}," said {a}, but nobody wanted so few.',
        "{a} had seen {n}, and trembled at the thought of the others.",
        '"Then they have had children," said {a}, who had seen {n}.',
    )
    mood(s, "a", afraid=6, excited=3)
    moral(
        s,
        "rumour",
        "News grows best where it is not watered.",
        "The truth walks, and is overtaken at the bridge.",
        "It is a poor story that stays the same size.",
    )
    s.labels |= {"first": first, "last": n}
    many = s["w"].many
    s.ask("how many", f"How many {many} did {s['a']} see?", number_word(first))
    s.ask("how many", f"How many {many} did {s['b']} speak of?", number_word(n))
    s.ask("who", f"Who saw the {many} first?", s["a"])
