"""Drawings of ideas: the block of a Transformer, the three families, sets within sets, the tree of a beam search."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from llmcourse.plots.style import (
    BASELINE,
    INK,
    MODEL,
    MUTED,
    OTHERS,
    STUDENT,
    TRUTH,
    Picture,
    bare_canvas,
    house_style,
    shown,
)

ATTENTION, FEEDFORWARD, NORM, ENDS, CROSS = MODEL, STUDENT, MUTED, BASELINE, OTHERS[0]


def box(axes: Axes, centre: tuple[float, float], size: tuple[float, float], label: str, colour: str) -> None:
    """A rounded box with a label, around `centre`."""
    (x, y), (wide, high) = centre, size
    shape = FancyBboxPatch((x - wide / 2, y - high / 2), wide, high, boxstyle="round,pad=0,rounding_size=0.07")
    shape.set(facecolor=(colour, 0.16), edgecolor=colour, linewidth=1.3)
    axes.add_patch(shape)
    axes.text(x, y, label, ha="center", va="center", fontsize=11.5, linespacing=1.15)


def arrow(
    axes: Axes, start: tuple[float, float], end: tuple[float, float], colour: str = INK, bend: float = 0.0
) -> None:
    """An arrow; `bend` bows it to the side."""
    style = f"arc3,rad={bend}"
    axes.add_patch(
        FancyArrowPatch(
            start,
            end,
            arrowstyle="-|>",
            mutation_scale=12,
            color=colour,
            lw=1.4,
            connectionstyle=style,
            shrinkA=0,
            shrinkB=0,
        )
    )


def _plus(axes: Axes, x: float, y: float) -> None:
    axes.plot([x], [y], color=INK, marker="o", markersize=15, fillstyle="none", markeredgewidth=1.3)
    axes.text(x, y, "+", ha="center", va="center", fontsize=13)


@house_style
def transformer_block(*, causal: bool = True, cross: bool = False) -> Picture:
    """One pre-norm block: the residual stream runs straight up; each part reads it, and adds what it found."""
    parts = [("causal self-attention" if causal else "self-attention\n(both directions)", ATTENTION)]
    parts += [("cross-attention:\nreads the encoder", CROSS)] if cross else []
    parts += [("feed-forward", FEEDFORWARD)]
    step = 1.32
    height = 0.75 + step * len(parts) + 0.35
    picture, axes = bare_canvas(height)
    stream, x = 1.0, 3.45
    axes.text(stream, height - 0.15, "stream in: B T D", ha="center", va="center", fontsize=11, color=MUTED)
    axes.text(stream, 0.15, "stream out: B T D", ha="center", va="center", fontsize=11, color=MUTED)
    low = height - 0.35
    for i, (label, colour) in enumerate(parts):
        branch, meet = low - 0.12 - step * i, low - 0.05 - step * (i + 1) + 0.12
        _side_branch(axes, (stream, x), (branch, meet), label, colour)
        start = low if i == 0 else low - 0.05 - step * i + 0.12 - 0.12
        axes.plot([stream, stream], [start, meet + 0.12], color=INK, lw=3.2, solid_capstyle="butt")
        last = meet
    arrow(axes, (stream, last - 0.12), (stream, 0.3))
    return picture


def _side_branch(axes: Axes, xs: tuple[float, float], ys: tuple[float, float], label: str, colour: str) -> None:
    (stream, x), (branch, meet) = xs, ys
    norm_y, part_y = branch - 0.08, branch - 0.62
    axes.plot([stream, x - 0.62], [norm_y, norm_y], color=INK, lw=1.4)
    arrow(axes, (x - 0.75, norm_y), (x - 0.6, norm_y))
    box(axes, (x, norm_y), (1.2, 0.34), "norm", NORM)
    arrow(axes, (x, norm_y - 0.17), (x, part_y + 0.24))
    box(axes, (x, part_y), (2.5, 0.48), label, colour)
    axes.plot([x, x, x], [part_y - 0.24, meet, meet], color=INK, lw=1.4)
    arrow(axes, (x, meet), (stream + 0.12, meet))
    _plus(axes, stream, meet)


@house_style
def three_families() -> Picture:
    """Encoder, decoder and encoder-decoder side by side: who reads whom, and what comes out."""
    picture, axes = bare_canvas(4.15)
    for centre, name in ((0.85, "encoder"), (2.4, "decoder"), (4.45, "encoder-decoder")):
        axes.text(centre, 0.14, name, ha="center", va="center", fontsize=12.5, fontweight="bold")
    _stack(
        axes,
        0.85,
        [("self-attention,\nboth ways", ATTENTION), ("feed-forward", FEEDFORWARD)],
        "a vector for\neach token",
        "whole text",
    )
    _stack(
        axes,
        2.4,
        [("self-attention,\nbackwards", ATTENTION), ("feed-forward", FEEDFORWARD)],
        "the next\ntoken",
        "text so far",
    )
    _stack(axes, 3.78, [("self-att.,\nboth ways", ATTENTION), ("feed-\nforward", FEEDFORWARD)], "", "source", wide=1.05)
    parts = [("self-att.,\nbackwards", ATTENTION), ("cross-\nattention", CROSS), ("feed-\nforward", FEEDFORWARD)]
    _stack(axes, 5.05, parts, "the next\ntoken", "answer so far", wide=1.05)
    # from the top of the encoder into the side of the cross-attention
    axes.plot([3.78, 3.78, 4.4, 4.4], [2.16, 1.9, 1.9, 2.44], color=CROSS, lw=1.6)
    arrow(axes, (4.36, 2.44), (4.52, 2.44), CROSS)
    return picture


def _stack(axes: Axes, x: float, parts: Sequence[tuple[str, str]], top: str, bottom: str, wide: float = 1.36) -> None:
    y = 3.0
    axes.text(x, 3.98, bottom, ha="center", va="center", fontsize=11, color=MUTED)
    arrow(axes, (x, 3.84), (x, 3.56))
    for label, colour in parts:
        box(axes, (x, y + 0.26), (wide, 0.56), label, colour)
        y -= 0.82
        if label != parts[-1][0]:
            arrow(axes, (x, y + 0.8), (x, y + 0.54))
    axes.text(x + wide / 2, 3.66, "× N", ha="right", va="center", fontsize=11, color=MUTED)
    if top:
        arrow(axes, (x, y + 0.8), (x, 0.78))
        axes.text(x, 0.58, top, ha="center", va="center", fontsize=11, linespacing=1.1)


@house_style
def nested_sets(names: Sequence[str]) -> Picture:
    """Boxes within boxes, the widest idea first: each holds all those named after it."""
    n = len(names)
    picture, axes = bare_canvas(0.35 + 0.52 * n)
    colours = (BASELINE, MODEL, STUDENT, OTHERS[0], TRUTH, OTHERS[2])
    for i, name in enumerate(names):
        inset, high = 0.04 + 0.16 * i, 0.31 + 0.52 * n - i * (0.52 + 0.02)
        shape = FancyBboxPatch(
            (inset, 0.02 + 0.42 * i), 5.6 - 2 * inset, high, boxstyle="round,pad=0,rounding_size=0.12"
        )
        shape.set(facecolor=(colours[i % 6], 0.10), edgecolor=colours[i % 6], linewidth=1.3)
        axes.add_patch(shape)
        axes.text(inset + 0.16, 0.02 + 0.42 * i + 0.22, name, va="center", fontsize=12)
    return picture


ROW = 0.48  # the height of a candidate's two lines


@house_style
def beam_tree(candidates: Sequence[tuple[Sequence[str], float, bool]], *, root: str = "start") -> Picture:
    """The search as a tree that grows to the right: each candidate with its log-probability, kept ones in colour.

    A candidate is (its tokens so far, log-probability in nats, whether the beam kept it); its parent is the candidate
    that lacks the last token.
    """
    leaves = _rows(candidates)
    n_rows = max(leaves.values(), default=0) + 1
    picture, axes = bare_canvas(0.4 + ROW * n_rows)
    lefts = _columns(candidates)
    # where the lines to a candidate's children begin: at the end of its label
    ends: dict[tuple[str, ...], tuple[float, float]] = {(): (0.58, 0.25 + ROW * leaves[()])}
    axes.text(0.3, ends[()][1], root, ha="center", va="center", fontsize=11, color=MUTED)
    for tokens, log_prob, kept in sorted(candidates, key=lambda each: len(each[0])):
        key = tuple(tokens)
        left, y = lefts[len(key) - 1], 0.25 + ROW * leaves[key]
        lines = (shown(key[-1]), f"{log_prob:.2f}")
        ends[key] = (left + _width(*lines), y)
        start = ends[key[:-1]]
        axes.plot([start[0], left], [start[1], y], color=MODEL if kept else BASELINE, lw=2.2 if kept else 1.2)
        look: dict[str, Any] = {"color": INK, "weight": "bold"} if kept else {"color": MUTED}
        axes.text(left + 0.05, y, "\n".join(lines), va="center", fontsize=10.5, linespacing=1.05, **look)
    return picture


def _width(*lines: str) -> float:
    return 0.14 + 0.1 * max(len(line) for line in lines)


def _columns(candidates: Sequence[tuple[Sequence[str], float, bool]]) -> list[float]:
    """Where the labels of each depth begin: as far apart as the longest of them needs, at least."""
    depth = max((len(tokens) for tokens, _, _ in candidates), default=0)
    widths = [
        max(_width(shown(tokens[-1]), f"{log_prob:.2f}") for tokens, log_prob, _ in candidates if len(tokens) == d)
        for d in range(1, depth + 1)
    ]
    gap = max(0.2, (5.6 - 0.8 - sum(widths)) / max(depth, 1))
    return [0.8 + sum(widths[:d]) + gap * d for d in range(depth)]


def _rows(candidates: Sequence[tuple[Sequence[str], float, bool]]) -> dict[tuple[str, ...], float]:
    """The row of each candidate: leaves one under the other, a parent midway between its children."""
    keys = {tuple(tokens) for tokens, _, _ in candidates}
    for key in keys:
        if len(key) > 1 and key[:-1] not in keys:
            raise ValueError(f"beam_tree: the candidate {key} has no parent {key[:-1]} in the list.")
    score = {tuple(tokens): log_prob for tokens, log_prob, _ in candidates}
    rows: dict[tuple[str, ...], float] = {}

    def place(key: tuple[str, ...], free: int) -> int:
        children = sorted((each for each in keys if each[:-1] == key and each), key=lambda each: -score[each])
        for child in children:
            free = place(child, free)
        rows[key] = (rows[children[0]] + rows[children[-1]]) / 2 if children else free
        return free if children else free + 1

    place((), 0)
    return rows
