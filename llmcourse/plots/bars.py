"""Bars: one number for each name, with the truth beside it where the truth is known."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from llmcourse.plots.style import INK, MODEL, PAPER, TRUTH, Picture, colours_for, house_style, new_picture, shown_label

HATCHES = ("", "//", "..", "xx", "\\\\")


@house_style
def bars(
    labels: Sequence[str],
    values: ArrayLike | Mapping[str, ArrayLike],
    *,
    truth: ArrayLike | None = None,
    value_label: str = "probability",
    item_label: str = "",
    horizontal: bool | None = None,
    numbers: str | None = None,
    log: bool = False,
) -> Picture:
    """A bar for each label, or a group of bars where `values` holds several series by name.

    `truth` is drawn as diamonds over the bars. Bars lie down where a label is long. `numbers` is a format, such as
    ".2f", that writes each value at the end of its bar.
    """
    series = values if isinstance(values, Mapping) else {"model": values}
    counts = all(np.asarray(each).dtype.kind in "iu" for each in series.values())
    groups = {name: _numbers(each) for name, each in series.items()}
    for name, group in groups.items():
        if len(group) != len(labels):
            raise ValueError(f"bars needs one value for each label: {len(labels)} labels, {len(group)} of {name}.")
    lying = max(map(len, labels), default=0) > 3 if horizontal is None else horizontal
    thickness = 0.74 / len(groups)
    n_bars = len(labels) * len(groups)
    picture, axes = new_picture(max(1.6, 0.9 + 0.27 * max(n_bars, 1.2 * len(labels))) if lying else 3.3)
    places = np.arange(len(labels), dtype=float)
    for i, ((name, group), colour) in enumerate(zip(groups.items(), colours_for(groups), strict=True)):
        offset = (i - (len(groups) - 1) / 2) * thickness
        draw = axes.barh if lying else axes.bar
        drawn = draw(places + offset, group, thickness * 0.94, color=colour, label=name, hatch=HATCHES[i % 5] or None)
        if HATCHES[i % 5]:
            for each in drawn:
                each.set_edgecolor(PAPER)
        if numbers is not None:
            axes.bar_label(drawn, fmt=f"{{:{numbers}}}", padding=4, color=INK, fontsize=10.5)
    if truth is not None:
        _diamonds(axes, places, _numbers(truth), lying)
    _name_axes(axes, [shown_label(label) for label in labels], value_label, item_label, lying, log)
    if counts and not log:  # no tick between whole numbers
        (axes.xaxis if lying else axes.yaxis).set_major_locator(MaxNLocator(integer=True))
    if len(groups) > 1 or truth is not None:
        _legend(picture, axes)
    return picture


def _legend(picture: Picture, axes: Axes) -> None:
    handles, names = axes.get_legend_handles_labels()
    # the truth, drawn last and on top, is named last
    order = sorted(range(len(names)), key=lambda i: isinstance(handles[i], PathCollection))
    picture.legend([handles[i] for i in order], [names[i] for i in order], loc="outside upper left", ncols=3)


def _numbers(values: ArrayLike) -> np.ndarray:
    return np.asarray(values, dtype=float)


def _diamonds(axes: Axes, places: np.ndarray, truth: np.ndarray, lying: bool) -> None:
    x, y = (truth, places) if lying else (places, truth)
    axes.scatter(x, y, marker="D", s=38, color=TRUTH, edgecolors=PAPER, linewidths=1.0, label="truth", zorder=3)


def _name_axes(axes: Axes, labels: list[str], value_label: str, item_label: str, lying: bool, log: bool) -> None:
    places = list(range(len(labels)))
    if lying:
        axes.set(yticks=places, yticklabels=labels, xlabel=value_label, ylabel=item_label)
        axes.invert_yaxis()
        axes.grid(axis="x")
        axes.tick_params(axis="y", length=0)
        axes.margins(x=0.12 if axes.texts else 0.05, y=0.02)
        if log:
            axes.set_xscale("log")
    else:
        axes.set(xticks=places, xticklabels=labels, ylabel=value_label, xlabel=item_label)
        axes.grid(axis="y")
        axes.tick_params(axis="x", length=0)
        if log:
            axes.set_yscale("log")


@house_style
def distribution_bars(
    model: Mapping[str, float],
    truth: Mapping[str, float] | None = None,
    top: int = 12,
    *,
    value_label: str = "probability",
    names: tuple[str, str] = ("model", "truth"),
) -> Picture:
    """The model's likeliest next words as bars, the truth as diamonds, and all other words together in a last row.

    The `top` words are those that stand highest in either distribution.
    """
    true = dict(truth or {})
    peak = {word: max(model.get(word, 0.0), true.get(word, 0.0)) for word in {*model, *true}}
    words = sorted(peak, key=lambda word: (-peak[word], word))[:top]
    left = len(peak) - len(words)
    rows = [("(end)" if word == "" else shown_label(word), model.get(word, 0.0), true.get(word, 0.0)) for word in words]
    if left:
        chosen = set(words)
        rest = [sum(v for k, v in which.items() if k not in chosen) for which in (model, true)]
        rows.append((f"{left} others", rest[0], rest[1]))
    picture, axes = new_picture(1.0 + 0.28 * len(rows))
    places = np.arange(len(rows), dtype=float)
    axes.barh(places, [row[1] for row in rows], 0.72, color=MODEL, label=names[0])
    if truth is not None:
        _diamonds(axes, places, np.array([row[2] for row in rows]), lying=True)
        axes.collections[-1].set_label(names[1])
        _legend(picture, axes)
    _name_axes(axes, [row[0] for row in rows], value_label, "", lying=True, log=False)
    return picture
