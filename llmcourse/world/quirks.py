"""The quirks that people have, and what comes of them."""

from dataclasses import dataclass


@dataclass(frozen=True, eq=False)
class Quirk:
    """A habit: how people speak of it, and what comes of it (in templates about role q)."""

    key: str
    clause: str
    events: tuple[str, ...]
    hides: str = ""


QUIRKS = (
    Quirk(
        "counts",
        "who counted everything twice",
        (
            "{q.Or} counted the clouds twice, as always, and got two answers.",
            "{q.Or} counted the steps to the door, went back, and counted them again.",
            "{q.Or} counted {q.his} buttons twice. One was new.",
        ),
    ),
    Quirk(
        "geese",
        "who ran away from geese",
        (
            "A goose looked at {q}, so {q.he} took the long way round.",
            "{q.Or} heard a goose, hid behind a barrel, and waited for it to lose interest.",
            "There was a goose in the road. {q} climbed a tree and was polite to it from there.",
        ),
    ),
    Quirk(
        "whistles",
        "who whistled all day",
        (
            "{q.Or} whistled the only tune {q.he} knew, and three windows closed.",
            "{q.Or} whistled on the way, and a dog joined in, half a note too low.",
            "{q.Or} whistled so long that a baby learned to speak, only to complain.",
        ),
    ),
    Quirk(
        "forgets",
        "who forgot the names of things",
        (
            "{q.Or} forgot the word for bridge and called it the dry part of the river.",
            "{q.Or} asked for a thing, that thing, the thing for soup. It was a spoon.",
            "{q.Or} said good day to a lamp post and called it Mister Lamp, to be safe.",
        ),
    ),
    Quirk(
        "hat",
        "who kept everything in a hat",
        (
            "A fork, a stamp, and a small frog fell out of {q.poss} hat. {q.He} put them back.",
            "{q.Or} took off {q.his} hat to say hello, and a week of lunches fell out.",
            "{q.Or} looked for a pencil in {q.his} hat and found a smaller hat.",
        ),
    ),
    Quirk(
        "late",
        "who was late for everything",
        (
            "{q.Or} was late, as always, and blamed the clock, as always.",
            "{q.Or} was an hour late and surprised to find nobody surprised.",
            "{q.Or} ran, in order to be late sooner.",
        ),
    ),
    Quirk(
        "goat",
        "who asked a goat for advice",
        (
            "{q.Or} wrote the goat a question, and the goat ate it.",
            "{q.Or} went to the goat for advice. The goat advised grass.",
            "The goat had told {q} to stay in bed. It said so to everyone.",
        ),
    ),
    Quirk(
        "sorry",
        "who apologised to furniture",
        (
            "{q.Or} bumped into a table and begged its pardon.",
            "{q.Or} tripped over a bench and asked whether it was hurt.",
            "{q.Or} sat down carefully, and thanked the chair.",
        ),
    ),
    Quirk(
        "naps",
        "who could sleep anywhere",
        (
            "{q.Or} slept for a minute against a wall. The wall did not mind.",
            "{q.Or} sat down on a sack of flour, only to think, and woke at noon.",
            "In the middle of a word {q} fell asleep, and finished it an hour later.",
        ),
    ),
    Quirk(
        "maps",
        "who drew maps of everything",
        (
            "{q.Or} drew a map of the street, and then got lost on the map.",
            "{q.Or} unfolded a map of the kitchen. It was bigger than the kitchen.",
            "{q.Or} marked a place on a map with a cross, and then could not find the cross.",
        ),
    ),
    Quirk(
        "honest",
        "who could not tell a lie",
        (
            "{q.Or} saw a man in a new hat and told him the truth about it.",
            "Somebody asked {q} about a wedding cake. {q.He} answered, and that was the end of the wedding.",
            "{q.Or} told an old woman her age. She had not asked.",
        ),
    ),
    Quirk(
        "shoes",
        "who wore two left shoes",
        (
            "{q.Or} walked in a small circle, on account of the shoes.",
            "{q.Or} set out straight ahead and came back from the left, as one does in such shoes.",
            "{q.Or} left two left footprints in the mud, and a detective was called.",
        ),
    ),
    Quirk(
        "rain",
        "who predicted rain every day",
        (
            '"Rain," said {q}, to nobody. A cloud looked down and thought about it.',
            "{q.Or} had worn rubber boots to bed, to be early.",
            "{q.Or} looked at the sky as one looks at a liar.",
        ),
    ),
    Quirk(
        "string",
        "who never threw anything away",
        (
            "{q.Or} found a bit of string too short for anything and put it with the others.",
            "{q.Or} stopped to save a broken egg cup, in case eggs ever broke that way.",
            "{q.Or} picked up a rusty nail, which made four hundred.",
        ),
    ),
    Quirk(
        "echo",
        "who talked to the echo",
        (
            "{q.Or} shouted good morning to the hills, and the hills agreed.",
            "{q.Or} argued with the echo under the bridge. The echo had the last word.",
            "{q.Or} asked the echo for its name. It wanted to know the same.",
        ),
    ),
    Quirk(
        "birds",
        "who knew every bird by name",
        (
            "{q.Or} greeted a crow named Margaret. Margaret was busy.",
            "{q.Or} introduced two pigeons who had been married for years.",
            "{q.Or} heard a sparrow cough and sent it to bed.",
        ),
    ),
)
