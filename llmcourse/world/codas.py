"""How stories open and close: the day, the beats that any plot may use, and the mood that shows in what people do."""

from collections.abc import Mapping

from llmcourse.world.lexicon import DAYS, SKIES
from llmcourse.world.story import Story

# no closer names its mood; those that two moods share can be told apart only by the story before them
_QUIET = "{m.Or} said nothing at supper, and then said it again."
_AWAKE = "{m.Or} did not sleep at all that night."
_TEA = "{m.Or} made a pot of tea and drank all of it."
MOODS: Mapping[str, tuple[str, ...]] = {
    "happy": (
        "{m.Or} hummed until bedtime, mostly one note.",
        "That night {m} smiled in {m.his} sleep.",
        "{m.Or} danced around the kitchen with a broom.",
        "{m.Or} bought cake for everyone, even the dog.",
        "{m.Or} kissed the postbox and begged nobody's pardon.",
        _TEA,
    ),
    "sad": (
        "{m.Or} looked into {m.his} soup for a long time and did not eat it.",
        "{m.Or} sat by the window until the candle went out.",
        "{m.Or} wept a little, and the cat pretended not to see.",
        "{m.Or} played one slow note on a comb until somebody shut a window.",
        "{m.Or} went to bed without a word and turned to the wall.",
        _QUIET,
    ),
    "angry": (
        "{m.Or} shut the door so hard that the house next door lost a tile.",
        "{m.Or} kicked a bucket. The bucket won.",
        "{m.Or} wrote a long letter with many capital letters and burned it.",
        "{m.Or} chopped wood until there was no forest left to speak of.",
        "{m.Or} shouted at the moon, which went behind a cloud.",
        _QUIET,
    ),
    "proud": (
        "{m.Or} told the story to everyone, and twice to the mirror.",
        "{m.Or} walked around the village twice, so that more people could see.",
        "{m.Or} stood very straight, like a statue of {m.self}.",
        "{m.Or} wrote it all down, with {m.his} own name underlined.",
        "{m.Or} ordered a portrait of {m.self}, a large one.",
        "{m.Or} bowed to the postman, and then to a hedge.",
    ),
    "afraid": (
        "{m.Or} locked the door, and then the window, and then the cupboard.",
        "{m.Or} slept with the lamp on and one shoe in {m.his} hand.",
        "{m.Or} jumped at every noise that evening, including {m.his} own.",
        "{m.Or} hid under the table and asked who was there. Nobody was.",
        _AWAKE,
    ),
    "calm": (
        "{m.Or} watched the river go by and wished it well.",
        "{m.Or} shrugged, and slept like a stone.",
        "{m.Or} put {m.his} feet up and let the evening pass.",
        "{m.Or} fed the cat, wound the clock, and thought of nothing at all.",
        _TEA,
        "{m.Or} sat by the stove and agreed with the fire.",
    ),
    "excited": (
        "{m.Or} could not sit still, and ran up the hill and down again.",
        "{m.Or} talked so fast that the words fell over each other.",
        "{m.Or} made a plan, and a second plan, and packed a bag for both.",
        _AWAKE,
        "{m.Or} ran to tell a neighbour, forgot what it was, and ran back to remember.",
    ),
}


def opening(s: Story) -> None:
    """The day and its weather; the plot's first sentence goes on from here."""
    s.let(day=s.one_of("day", DAYS), sky=s.one_of("sky", SKIES))
    s.say(
        "opening",
        "One {sky} {day},",
        "On {sky.a} {day},",
        "It was {sky.a} {day} when",
        "One {day}, when the morning was {sky},",
        "Early one {sky} {day},",
        "It happened on {sky.a} {day} that",
        "On the first {sky} {day} of the year,",
        "Nobody expected much of that {sky} {day}, but",
        "It all began on {sky.a} {day}, when",
        "Last {day}, which was {sky},",
    )
    s.labels |= {"day": s["day"], "weather": s["sky"].key}


def joke(s: Story, role: str = "x") -> None:
    """Perhaps a remark about a thing; the remark belongs to the thing."""
    thing = s[role]
    s.say_one(f"joke.{thing.key}", {"none": ("",), "told": thing.jokes}, (0.3, 0.7))


def quirk(s: Story, role: str) -> None:
    """Perhaps something happens because of somebody's quirk."""
    person = s[role]
    s.let(q=person)
    told = s.say_one(f"quirk.{person.quirk.key}", {"none": ("",), "told": person.quirk.events}, (0.25, 0.75))
    if told == "told":
        s.labels["quirk"] = person.quirk.key


def last_word(s: Story, role: str = "x") -> None:
    """Perhaps a thing that the story was about has the last word."""
    thing = s[role]
    s.say_one(f"last.{thing.key}", {"none": ("",), "told": (thing.last,)}, (0.5, 0.5))


def mood(s: Story, role: str, **weights: float) -> None:
    """How somebody takes it; the label is true, and the text never says it."""
    s.let(m=s[role])
    total = sum(weights.values())
    label = s.say_one("mood", {m: MOODS[m] for m in weights}, [w / total for w in weights.values()])
    s.labels |= {"mood": label, "mood_of": s["m"].name}


def moral(s: Story, rule: str, *templates: str) -> None:
    """Perhaps a last word, which belongs to the plot and the way it ended."""
    s.say_one(f"moral.{rule}", {"none": ("",), "told": templates}, (0.45, 0.55))
