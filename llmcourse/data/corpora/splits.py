"""Which text is for training and which is held out: a name never moves, whatever stands beside it."""

from collections.abc import Mapping, Sequence

from llmcourse.world.weights import stable_uniform
from llmcourse.world.world import SPLITS

HELD_OUT = 0.1  # of the whole, for each of valid and test


def place(name: str) -> float:
    """A number in [0, 1) that looks like chance and that `name` alone decides."""
    return stable_uniform("split", name)


def split_of(name: str) -> str:
    """The split of what goes by that name: valid for a tenth of all names, test for another, train for the rest."""
    where = place(name)
    if where < 1 - 2 * HELD_OUT:
        return "train"
    return "valid" if where < 1 - HELD_OUT else "test"


def share_out(groups: Sequence[Sequence[str]], sizes: Mapping[str, int]) -> dict[str, list[str]]:
    """The names by split, no group in two of them; valid and test get at most a tenth of the whole each.

    Their groups' first names decide which are held out. A group larger than a tenth is for training.
    """
    room = HELD_OUT * sum(sizes.values())
    held = {"valid": 0, "test": 0}
    splits: dict[str, list[str]] = {split: [] for split in SPLITS}
    for group in sorted(groups, key=lambda group: place(group[0])):
        size = sum(sizes[name] for name in group)
        split = next((split for split in held if held[split] + size <= room), "train")
        splits[split] += group
        if split in held:
            held[split] += size
    return splits
