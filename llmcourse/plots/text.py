"""Text as figures: tokens as boxes in a line, and how surprised a model was by each."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch
from numpy.typing import ArrayLike

from llmcourse.plots.grids import STRONG
from llmcourse.plots.style import (
    INK,
    MODEL,
    MUTED,
    ON_SHADE,
    OTHERS,
    SHADE,
    STUDENT,
    TRUTH,
    WIDTH,
    Picture,
    bare_canvas,
    house_style,
    shown,
)

Token = str | bytes
FONT_SIZE = 12.0
CHARACTER = 0.602 * FONT_SIZE / 72  # inches: each character of DejaVu Sans Mono is as wide
PADDING, GAP, LINE = 0.09, 0.05, 0.36
TINTS = (MODEL, TRUTH, STUDENT, OTHERS[0], OTHERS[1])


@house_style
def token_strip(
    tokens: Sequence[Token],
    values: ArrayLike | None = None,
    *,
    strongest: float | None = None,
    colours: Sequence[str] | None = None,
    ids: Sequence[int] | None = None,
) -> Picture:
    """The text as boxes, one for each token, wrapped into lines; white space is shown as a dot.

    The boxes take turns in colour; `values` shades them instead (full shade is `strongest`, or the largest), and
    `colours` sets each one. `ids` stand below the tokens.
    """
    names = [shown(token) for token in tokens]
    if colours is None:
        colours = [TINTS[i % len(TINTS)] for i in range(len(names))] if values is None else [SHADE] * len(names)
    opacity = np.full(len(names), 0.22)
    if values is not None:
        size = np.abs(np.asarray(values, dtype=float))
        opacity = np.clip(size / (strongest or size.max(initial=0.0) or 1.0), 0.0, 1.0)
    pitch = LINE if ids is None else LINE + 0.2
    places = _wrap(names, WIDTH)
    picture, axes = bare_canvas(0.1 + pitch * (1 + max((line for _, line in places), default=0)))
    for i, (name, (left, line)) in enumerate(zip(names, places, strict=True)):
        _box(axes, name, left, 0.05 + pitch * line, colours[i], float(opacity[i]))
        if ids is not None:
            middle = left + PADDING + len(name) * CHARACTER / 2
            axes.text(
                middle, 0.05 + pitch * line + 0.41, str(ids[i]), ha="center", va="center", fontsize=9, color=MUTED
            )
    return picture


@house_style
def token_steps(rows: Mapping[str, Sequence[Token]]) -> Picture:
    """The same text cut in several ways, one under the other, each with its name: the steps of a merge, say."""
    gap = 0.12
    wrapped = {name: _wrap([shown(t) for t in tokens], WIDTH) for name, tokens in rows.items()}
    n_lines = {name: 1 + max((line for _, line in places), default=0) for name, places in wrapped.items()}
    picture, axes = bare_canvas(sum(0.3 + LINE * n + gap for n in n_lines.values()))
    top = 0.0
    for name, tokens in rows.items():
        axes.text(0.0, top + 0.15, name, va="center", fontsize=11.5, color=INK)
        for token, (left, line) in zip(tokens, wrapped[name], strict=True):
            text = shown(token)
            # the colour hangs on the token, so that the eye finds the same token in each row
            colour, opacity = (TINTS[sum(text.encode()) % len(TINTS)], 0.22) if len(text) > 1 else (MUTED, 0.1)
            _box(axes, text, left, top + 0.3 + LINE * line, colour, opacity)
        top += 0.3 + LINE * n_lines[name] + gap
    return picture


def _wrap(names: Sequence[str], width: float) -> list[tuple[float, int]]:
    places, left, line = [], 0.02, 0
    for name in names:
        wide = len(name) * CHARACTER + 2 * PADDING
        if left > 0.02 and left + wide > width:
            left, line = 0.02, line + 1
        places.append((left, line))
        left += wide + GAP
    return places


def _box(axes: Axes, name: str, left: float, top: float, colour: str, opacity: float) -> None:
    wide = len(name) * CHARACTER + 2 * PADDING
    shape = FancyBboxPatch((left, top), wide, 0.29, boxstyle="round,pad=0,rounding_size=0.05", linewidth=0.8)
    shape.set_facecolor((colour, opacity))
    shape.set_edgecolor((colour, max(opacity, 0.5)))
    axes.add_patch(shape)
    ink = ON_SHADE if opacity > STRONG else INK
    middle = (left + wide / 2, top + 0.15)
    axes.text(*middle, name, ha="center", va="center", family="DejaVu Sans Mono", fontsize=FONT_SIZE, color=ink)


@house_style
def token_surprisal(
    tokens: Sequence[Token],
    nats: ArrayLike,
    floor: ArrayLike | None = None,
    *,
    per_line: int = 14,
    y_label: str = "surprise (nats)",
) -> Picture:
    """A bar over each token, as high as the model was surprised; `floor` marks what the truth itself would cost."""
    heights = np.asarray(nats, dtype=float)
    if heights.shape != (len(tokens),):
        raise ValueError(f"token_surprisal needs one number for each of {len(tokens)} tokens, not {heights.shape}.")
    floors = None if floor is None else np.asarray(floor, dtype=float)
    n_lines = max(1, -(-len(tokens) // per_line))
    picture = Picture(figsize=(WIDTH, 0.5 + 1.75 * n_lines), layout="constrained")
    grid = picture.subplots(n_lines, 1, squeeze=False, sharey=True)
    for line, axes in enumerate(grid[:, 0]):
        part = slice(line * per_line, (line + 1) * per_line)
        places = np.arange(len(tokens[part]))
        axes.bar(places, heights[part], 0.74, color=MODEL, label="model")
        if floors is not None:
            axes.hlines(floors[part], places - 0.44, places + 0.44, color=TRUTH, linewidth=2.4, label="floor")
        axes.set_xticks(places, [shown(t) for t in tokens[part]], rotation=60, ha="right", rotation_mode="anchor")
        axes.tick_params(axis="x", length=0, labelfontfamily="DejaVu Sans Mono")
        axes.set_xlim(-0.6, min(per_line, max(len(tokens), 1)) - 0.4)
        axes.grid(axis="y")
    picture.supylabel(y_label, fontsize=12)
    if floors is not None:
        picture.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside upper left", ncols=2)
    return picture
