"""Small worlds that can be written out in full, to hold the real one's machinery against."""

from collections.abc import Callable

from llmcourse.world import World
from llmcourse.world.lexicon import THINGS
from llmcourse.world.story import Story


def toy(story: Story) -> None:
    """A story with latent choices, ambiguous wording, a tail call and options of several words."""
    story.let(a=story.someone, b=story.someone, p=story.one_of("toy.place", ("mill", "mill pond", "old mill")))
    story.say("toy.open", "{a} saw {b}.", "{a} saw {b} at the {p}.", "", "{b} and {a} met.")
    if story.chance("toy.coin", 0.3):
        story.say("toy.same", "It was late.", "It was {p}.", "It was late.")
    story.go_on(
        "toy.end", {"none": lambda s: None, "late": lambda s: s.say("toy.late", "It was late.", "So {a} left.")}
    )


def toy_with_things(story: Story) -> None:
    """A story of a person and one thing or two, drawn in either order, before or behind somebody else, or unseen."""
    story.let(a=story.someone, b=story.someone, x=story.one_of("toy.thing", THINGS[:5]))
    if story.chance("toy.unseen", 0.2):
        story.labels["unseen"] = story["x"].key
    story.say("toy.has", "{a} has {x.a}.", "{x.A} is with {a}.", "{b} gave {a} {x.a}.", "{b} gave {x.a} to {a}.")
    story.labels |= {"main": story["a"].name, "things": (story["x"].key,)}
    if story["x"] is THINGS[0] and story.chance("toy.second", 0.3):
        story.let(y=story.one_of("toy.other", THINGS[1:7]))
        story.say("toy.too", "And {y.a}.")
        story.labels["things"] += (story["y"].key,)


def world_that_tells(tell: Callable[[Story], None], seed: int = 5, **dials: object) -> World:
    """A world of six people with one small story."""
    world = World(seed, **({"n_people": 6} | dials))
    world._tell = tell
    return world


def enumerate_texts(world: World) -> dict[str, float]:
    """Every text of a small world, with the probability that next-word probabilities multiply up to."""
    texts: dict[str, float] = {}
    agenda = [("", 1.0)]
    while agenda:
        prefix, mass = agenda.pop()
        for word, p in world.next_word_probs(prefix).items():
            if word:
                agenda.append((f"{prefix} {word}".strip(), mass * p))
            else:
                texts[prefix] = mass * p
    return texts
