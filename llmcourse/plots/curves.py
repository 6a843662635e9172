"""Numbers that change along an axis: losses by step, schedules, any curve, and histograms."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from numpy.typing import ArrayLike

from llmcourse.plots.style import BASELINE, INK, MODEL, PAPER, TRUTH, Picture, colours_for, house_style, new_picture

# second code beside colour, for readers who see no colour and for grey print
DASHES: tuple[Any, ...] = (
    "-",
    (0, (5, 2)),
    (0, (1, 1.6)),
    (0, (6, 2, 1, 2)),
    (0, (9, 3)),
)


@house_style
def loss_curve(
    steps: ArrayLike,
    losses: ArrayLike,
    *,
    floor: float | None = None,
    references: Mapping[str, float] | None = None,
    validation: tuple[ArrayLike, ArrayLike] | None = None,
    moments: Mapping[str, float] | None = None,
    smooth: int = 1,
    log_x: bool = False,
    x_label: str = "training step",
    y_label: str = "loss (nats per token)",
) -> Picture:
    """The loss by step, with the floor and any reference losses as level lines, and moments as upright ones.

    `smooth` averages over that many steps; the single steps stay faintly visible. `validation` holds steps and losses.
    """
    x, y = np.asarray(steps, dtype=float), np.asarray(losses, dtype=float)
    picture, axes = new_picture(3.6)
    axes.plot(x, y, color=MODEL, linewidth=1.0 if smooth > 1 else 2.2, alpha=0.35 if smooth > 1 else 1.0)
    if smooth > 1:
        axes.plot(x[smooth - 1 :], running_mean(y, smooth), color=MODEL)
    if validation is not None:
        axes.plot(*(np.asarray(part, dtype=float) for part in validation), color=INK, marker="o", markersize=5, lw=1.4)
    for name, value in (references or {}).items():
        level_line(axes, name, value, BASELINE)
    if floor is not None:
        level_line(axes, "floor", floor, TRUTH, below=True)
    for name, at in (moments or {}).items():
        upright_line(axes, name, at)
    axes.set(xlabel=x_label, ylabel=y_label)
    axes.grid(axis="y")
    axes.margins(x=0.01)
    if log_x:
        axes.set_xscale("log")
        plain_log_ticks(axes.xaxis)
    return picture


def upright_line(axes: Axes, name: str, at: float) -> None:
    """Draw an upright line with its name beside its upper end."""
    axes.axvline(at, color=INK, linestyle=(0, (1, 1.6)), linewidth=1.6)
    axes.annotate(
        name, (at, 0.96), (5, 0), xycoords=("data", "axes fraction"), textcoords="offset points", va="top", fontsize=11
    )


def plain_log_ticks(axis: Axis) -> None:
    """Label a short logarithmic axis at 1, 2 and 5 of each decade, as plain numbers."""
    low, high = axis.get_view_interval()
    if high / low < 1000:  # over longer spans powers of ten are enough, and more labels would run into each other
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
        axis.set_minor_formatter(NullFormatter())


def level_line(axes: Axes, name: str, value: float, colour: str, *, below: bool = False) -> None:
    """Draw a dashed level line with its name and value written above (or below) its right end."""
    axes.axhline(value, color=colour, linestyle=(0, (5, 2)), linewidth=1.8)
    label = axes.annotate(
        f"{name} {value:.2f}",
        (1.0, value),
        (0, -4 if below else 3),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        ha="right",
        va="top" if below else "bottom",
        color=colour,
        fontsize=11,
    )
    if below:  # make room for the name, which no axis limit knows of
        low, high = axes.get_ylim()
        room = value * (value / high) ** 0.12 if axes.get_yscale() == "log" else value - 0.12 * (high - value)
        axes.set_ylim(min(low, room), high)
    label.set_bbox({"facecolor": PAPER, "edgecolor": "none", "pad": 1.0, "alpha": 0.75})


def running_mean(values: ArrayLike, width: int) -> np.ndarray:
    """The mean of each `width` neighbouring values; `width - 1` values shorter than the input."""
    return np.convolve(np.asarray(values, dtype=float), np.ones(width) / width, mode="valid")


@house_style
def lines(
    series: Mapping[str, tuple[ArrayLike, ArrayLike]] | Mapping[str, ArrayLike],
    *,
    x_label: str,
    y_label: str,
    x: ArrayLike | None = None,
    log_x: bool = False,
    log_y: bool = False,
    floor: float | None = None,
    markers: bool = False,
) -> Picture:
    """Curves by name: each a pair of x and y, or y alone over the shared `x` (by default 0, 1, 2 …)."""
    if not series:
        raise ValueError("lines needs at least one series.")
    picture, axes = new_picture(3.5)
    dashes = iter(DASHES * 4)
    for (name, data), colour in zip(series.items(), colours_for(series), strict=True):
        xs, ys = _pair(data, x)
        axes.plot(xs, ys, color=colour, linestyle=next(dashes), label=name, marker="o" if markers else None, ms=5)
    axes.set(xlabel=x_label, ylabel=y_label, xscale="log" if log_x else "linear", yscale="log" if log_y else "linear")
    if floor is not None:  # once the scale is known, which decides how much room its name needs
        level_line(axes, "floor", floor, TRUTH, below=True)
    for axis, is_log in ((axes.xaxis, log_x), (axes.yaxis, log_y)):
        if is_log:
            plain_log_ticks(axis)
    axes.grid(axis="y")
    if len(series) > 1:
        picture.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=3, handlelength=2.4)
    return picture


def _pair(data: tuple[ArrayLike, ArrayLike] | ArrayLike, x: ArrayLike | None) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(data, tuple) and len(data) == 2 and np.ndim(data[0]) == 1:
        return np.asarray(data[0], dtype=float), np.asarray(data[1], dtype=float)
    ys = np.asarray(data, dtype=float)
    return (np.arange(len(ys), dtype=float) if x is None else np.asarray(x, dtype=float)), ys


@house_style
def histogram(
    values: ArrayLike | Mapping[str, Sequence[float]],
    *,
    x_label: str,
    y_label: str = "count",
    bins: int = 20,
    marks: Mapping[str, float] | None = None,
) -> Picture:
    """How many values fall into each of `bins` equal intervals; `marks` are upright lines with a name."""
    groups = dict(values) if isinstance(values, Mapping) else {"model": np.asarray(values, dtype=float)}
    data = [np.asarray(group, dtype=float).ravel() for group in groups.values()]
    edges = np.histogram_bin_edges(np.concatenate(data), bins=bins)
    picture, axes = new_picture(3.2)
    for name, group, colour in zip(groups, data, colours_for(groups), strict=True):
        axes.hist(group, bins=edges.tolist(), color=colour, alpha=0.75 if len(groups) == 1 else 0.5, label=name)
        if len(groups) > 1:
            axes.hist(group, bins=edges.tolist(), histtype="step", color=colour, linewidth=1.6)
    dashes = iter(DASHES[1:] * 4)  # a full line would look like a bar
    for (name, at), colour in zip((marks or {}).items(), colours_for(marks or {}), strict=True):
        axes.axvline(at, color=colour, linestyle=next(dashes), label=name)
    axes.set(xlabel=x_label, ylabel=y_label)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))  # nothing occurs half a time
    axes.grid(axis="y")
    if len(groups) > 1 or marks:
        picture.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=3)
    return picture
