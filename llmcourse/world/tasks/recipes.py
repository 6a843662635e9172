"""Recipes in lines of code: what is in the pot when they have been followed?"""

from random import Random
from typing import TYPE_CHECKING

from llmcourse.world.lexicon import ITEMS, WEATHERS, Item
from llmcourse.world.recipes import INDENT, cook
from llmcourse.world.tasks.arithmetic import amount, between
from llmcourse.world.tasks.records import RecipeRecord
from llmcourse.world.tasks.telling import pick, shuffled

if TYPE_CHECKING:
    from llmcourse.world.world import World


def recipe_record(world: "World", random: Random) -> RecipeRecord:
    """One recipe of a few lines, and what is in the pot when it has been followed.

    The first line tells the weather. `take` puts so many into the pot, `drop` takes out so many, or all if there are
    fewer; `double` doubles what is there, and `swap` exchanges two amounts. `repeat` does the lines below it so many
    times; `if` does them where the weather is that, or where there are more than so many, and `otherwise` where not.
    Four spaces mark what is below. `llmcourse.world.recipes.cook` follows any recipe of this kind.
    """
    items = shuffled(random, ITEMS)[:3]
    lines = [f"weather {pick(random, WEATHERS)}", f"take {amount(between(random, 2, 9), items[0])}"]
    lines += _block(random, items, 0, between(random, 2, 4))
    recipe = "\n".join(lines)
    return RecipeRecord(recipe, served(cook(recipe)))


def _block(random: Random, items: list[Item], depth: int, n: int) -> list[str]:
    """`n` steps, some of which hold a few more."""
    lines: list[str] = []
    for _ in range(n):
        lines += _held(random, items, depth) if depth < 2 and int(random.random() * 2) else [_step(random, items)]
    return [INDENT * bool(depth) + line for line in lines]


def _step(random: Random, items: list[Item]) -> str:
    one, other = shuffled(random, items)[:2]
    match int(random.random() * 6):
        case 0:
            return f"double {one.many}"
        case 1:
            return f"swap {one.many} and {other.many}"
        case 2:
            return f"drop {amount(between(random, 1, 4), one)}"
    return f"take {amount(between(random, 1, 6), one)}"


def _held(random: Random, items: list[Item], depth: int) -> list[str]:
    below = _block(random, items, depth + 1, between(random, 1, 2))
    which = int(random.random() * 3)
    if which == 0:
        return [f"repeat {between(random, 2, 3)}:", *below]
    test = pick(random, WEATHERS) if which == 1 else f"more than {amount(between(random, 1, 8), pick(random, items))}"
    if int(random.random() * 2):
        below += ["otherwise:", *_block(random, items, depth + 1, 1)]
    return [f"if {test}:", *below]


def served(pot: dict[str, int]) -> str:
    """What is in the pot, by the alphabet: "4 eggs, 1 plum", or "nothing"."""
    items = sorted((item for item in ITEMS if item.one in pot), key=lambda item: item.one)
    return ", ".join(amount(pot[item.one], item) for item in items) or "nothing"
