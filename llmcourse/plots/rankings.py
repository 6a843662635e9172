"""Two rankings of the same things side by side: a level line is a thing that keeps its place."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from llmcourse.plots.style import MODEL, TRUTH, Picture, house_style, new_picture, shown_label


@house_style
def two_rankings(
    names: Sequence[str], first: ArrayLike, second: ArrayLike, *, titles: tuple[str, str], far: float = 3.0
) -> Picture:
    """A line for each name, from its place by `first` to its place by `second`; the lowest number comes first.

    Equal numbers share a place. A thing that moves `far` places or more is drawn in another colour and dashed.
    """
    sides = [_places(side) for side in (first, second)]
    if any(len(side) != len(names) for side in sides) or len(names) < 2:
        raise ValueError(
            f"two_rankings needs two names or more, and a number of each kind for each: {len(names)} names, "
            f"{len(sides[0])} and {len(sides[1])} numbers."
        )
    picture, axes = new_picture(1.0 + 0.3 * len(names))
    for start, end in zip(*sides, strict=True):
        moved = abs(start - end) >= far
        axes.plot(
            [0, 1], [start, end], color=TRUTH if moved else MODEL, linestyle=(0, (5, 2)) if moved else "-", marker="o"
        )
    shared: dict[float, list[str]] = {}  # names with one place stand in one line
    for place, name in sorted(zip(sides[0].tolist(), names, strict=True), key=lambda pair: pair[0]):
        shared.setdefault(place, []).append(shown_label(name))
    axes.set(xlim=(-0.05, 1.05), xticks=[0, 1], xticklabels=list(titles), ylabel="place, best first")
    axes.set_yticks(list(shared), [", ".join(each) for each in shared.values()])
    axes.invert_yaxis()
    axes.tick_params(length=0)
    right = axes.secondary_yaxis("right")
    right.set_yticks(sorted(set(sides[1])), [f"{place:g}" for place in sorted(set(sides[1]))])
    right.tick_params(length=0)
    return picture


def _places(values: ArrayLike) -> np.ndarray:
    """The place of each number among all, from 1 for the lowest; equal ones share the mean of their places."""
    numbers = np.asarray(values, dtype=float)
    below = (numbers[None, :] < numbers[:, None]).sum(axis=1)
    equal = (numbers[None, :] == numbers[:, None]).sum(axis=1)
    return below + (equal + 1) / 2
