"""Grids of numbers as shades: heat-maps, attention heads side by side, tables of positions."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from numpy.typing import ArrayLike

from llmcourse.plots.style import (
    COUNTER_SHADE,
    INK,
    MUTED,
    ON_SHADE,
    SHADE,
    WIDTH,
    Picture,
    house_style,
    new_picture,
    shown,
    shown_label,
)

STRONG = 0.72  # from this much shade on, light text reads better than dark text


def shades(matrix: ArrayLike, strongest: float | None = None) -> np.ndarray:
    """Red, green, blue and opacity of each cell: the more, the less see-through; one colour for each sign.

    Shades are see-through, so the same cells read on white and on near-black paper. NaN is left empty.
    """
    values = np.asarray(matrix, dtype=float)
    limit = np.nanmax(np.abs(values), initial=0.0) if strongest is None else strongest
    strength = np.nan_to_num(np.clip(np.abs(values) / (limit or 1.0), 0.0, 1.0))
    colour = np.where((values < 0)[..., None], to_rgb(COUNTER_SHADE), to_rgb(SHADE))
    return np.concatenate([colour, strength[..., None]], axis=-1)


def _draw(axes: Axes, matrix: np.ndarray, strongest: float | None = None) -> None:
    axes.imshow(shades(matrix, strongest), interpolation="none", aspect="auto")
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_color(MUTED)


def _name_cells(axes: Axes, across: Sequence[str], down: Sequence[str]) -> None:
    axes.set_xticks(range(len(across)), across, rotation=90, fontfamily="DejaVu Sans Mono")
    axes.set_yticks(range(len(down)), down, fontfamily="DejaVu Sans Mono")


@house_style
def heatmap(
    matrix: ArrayLike,
    row_labels: Sequence[str],
    column_labels: Sequence[str],
    *,
    row_title: str = "",
    column_title: str = "",
    numbers: str | None = None,
    strongest: float | None = None,
) -> Picture:
    """A shaded cell for each number, with names on both sides; `numbers` is a format that writes them in.

    `strongest` is the size that gets the full shade: by default the largest in the matrix. Negative numbers get the
    second colour.
    """
    values = np.asarray(matrix, dtype=float)
    if values.shape != (len(row_labels), len(column_labels)):
        expected = (len(row_labels), len(column_labels))
        raise ValueError(f"heatmap needs a matrix of rows x columns = {expected}, not {values.shape}.")
    cell = min(0.62, max(0.24, 4.2 / max(len(column_labels), 1)))
    picture, axes = new_picture(max(1.8, 1.3 + cell * len(row_labels)))
    _draw(axes, values, strongest)
    _name_cells(axes, [shown_label(name) for name in column_labels], [shown_label(name) for name in row_labels])
    axes.set(xlabel=column_title, ylabel=row_title)
    if numbers is not None:
        strengths = shades(values, strongest)[..., 3]
        for (row, column), value in np.ndenumerate(values):
            if np.isfinite(value):
                colour = ON_SHADE if strengths[row, column] > STRONG else INK
                axes.text(column, row, format(value, numbers), ha="center", va="center", color=colour, fontsize=11)
    return picture


@house_style
def attention_heads(
    weights: ArrayLike, tokens: Sequence[str], *, columns: int = 2, titles: Sequence[str] = ()
) -> Picture:
    """One small grid for each head: row = the token that reads, column = the token that is read.

    `weights` is H x T x S, or T x S for one head. Full shade is weight 1.
    """
    heads = np.asarray(weights, dtype=float)
    heads = heads[None] if heads.ndim == 2 else heads
    if heads.ndim != 3 or heads.shape[2] != len(tokens) or heads.shape[1] > len(tokens):
        raise ValueError(f"attention_heads needs weights of heads x {len(tokens)} x {len(tokens)}, not {heads.shape}.")
    marks = [shown(token) for token in tokens]
    names = list(titles) or [f"head {i}" for i in range(len(heads))]
    columns = min(columns, len(heads))
    n_rows = -(-len(heads) // columns)
    picture = Picture(figsize=(WIDTH, 0.9 + n_rows * (WIDTH - 0.8) / columns), layout="constrained")
    grid = picture.subplots(n_rows, columns, squeeze=False, sharex=True, sharey=True)
    for i, axes in enumerate(grid.flat):
        if i >= len(heads):
            axes.set_axis_off()
            continue
        _draw(axes, heads[i], strongest=1.0)
        axes.set_title(names[i])
        _name_cells(axes, marks, marks[len(marks) - heads.shape[1] :])
        # a head with no neighbour below still names its columns
        axes.tick_params(labelbottom=i + columns >= len(heads), labelleft=i % columns == 0)
    picture.supxlabel("token that is read", fontsize=12)
    picture.supylabel("token that reads", fontsize=12)
    return picture


@house_style
def positions_heatmap(
    table: ArrayLike, *, x_label: str = "dimension of the vector", y_label: str = "position in the text"
) -> Picture:
    """A table of position vectors, positions x dimensions: blue above zero, orange below."""
    values = np.asarray(table, dtype=float)
    if values.ndim != 2:
        raise ValueError(f"positions_heatmap needs positions x dimensions, not shape {values.shape}.")
    picture, axes = new_picture(3.6)
    _draw(axes, values)
    axes.set(xlabel=x_label, ylabel=y_label)
    return picture
