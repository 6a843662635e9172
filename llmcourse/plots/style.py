"""One look for every figure of the course: which colour means what, and how a figure becomes SVG."""

import functools
import io
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, ParamSpec

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Figures are drawn for white paper; a dark page swaps each of these for its partner in DARK.
PAPER = "#ffffff"
INK = "#1d2126"
MUTED = "#5b636e"
GRID = "#d9dde2"

# One colour for one idea through the whole book.
MODEL = "#0072b2"
TRUTH = "#c4520a"
BASELINE = "#6f7780"
STUDENT = "#007f5f"
OTHERS = ("#9a4290", "#8a6a00", "#2f4b9c", "#b0395c")

DARK: dict[str, str] = {
    PAPER: "#121212",
    INK: "#e8eaed",
    MUTED: "#a4acb6",
    GRID: "#363b42",
    MODEL: "#56b0ec",
    TRUTH: "#ff9b52",
    BASELINE: "#9aa3ad",
    STUDENT: "#3cc79b",
    OTHERS[0]: "#d78fce",
    OTHERS[1]: "#d8b64a",
    OTHERS[2]: "#8fa8f2",
    OTHERS[3]: "#f28ba8",
}

# These stay the same on both papers: shades of a heat-map (drawn see-through) and the text on strong shades.
SHADE = "#1f6fb5"
COUNTER_SHADE = "#c2570c"
ON_SHADE = "#fefefe"

ROLES: dict[str, str] = {
    "model": MODEL,
    "truth": TRUTH,
    "true": TRUTH,
    "floor": TRUTH,
    "baseline": BASELINE,
    "student": STUDENT,
    "yours": STUDENT,
}

WIDTH = 5.6  # inches: small enough for a phone to show without shrinking the text too far

STYLE: dict[Any, Any] = {
    "svg.fonttype": "path",
    "svg.hashsalt": "llmcourse",
    "font.family": ["DejaVu Sans"],
    "font.size": 12.0,
    "axes.titlesize": 12.5,
    "axes.titlelocation": "left",
    "axes.labelsize": 12.0,
    "xtick.labelsize": 11.0,
    "ytick.labelsize": 11.0,
    "legend.fontsize": 11.0,
    "legend.frameon": False,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "lines.linewidth": 2.2,
    "lines.solid_capstyle": "round",
    "hatch.linewidth": 0.8,
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
}

P = ParamSpec("P")


class Picture(Figure):
    """A Matplotlib figure that a notebook shows as SVG, the same bytes each time, with no pyplot behind it."""

    def _repr_svg_(self) -> str:
        return to_svg(self)


def to_svg(picture: Figure) -> str:
    """The figure as SVG text, cut to what is drawn, on a transparent ground."""
    out = io.BytesIO()
    # no date and no creator: the same figure gives the same bytes
    metadata = {"Date": None, "Creator": None, "Format": None, "Type": None}
    with matplotlib.rc_context(STYLE):
        picture.savefig(out, format="svg", transparent=True, bbox_inches="tight", pad_inches=0.06, metadata=metadata)
    return out.getvalue().decode("utf-8")


def save_picture(picture: Figure, path: str | Path) -> Path:
    """Writes the figure as .png or .svg, whole or not at all, and gives the path back.

    A PNG has a white ground, as whoever opens one cannot know which. Raises: ValueError for another ending.
    """
    from llmcourse.data import atomic_path  # here, as it brings PyTorch, which no drawing needs

    path = Path(path)
    kind = path.suffix.lower()
    if kind not in (".png", ".svg"):
        raise ValueError(f"A picture ends in .png or .svg, not {kind or 'nothing'}: {path.name}.")
    with atomic_path(path) as scratch:
        if kind == ".svg":
            scratch.write_text(to_svg(picture), encoding="utf-8")
        else:
            with matplotlib.rc_context(STYLE):
                picture.savefig(scratch, format="png", facecolor=PAPER, dpi=160, bbox_inches="tight", pad_inches=0.08)
    return path


def house_style(draw: Callable[P, Picture]) -> Callable[P, Picture]:
    """`draw`, run under the house style; Matplotlib's own settings are left as they were."""

    @functools.wraps(draw)
    def styled(*args: P.args, **kwargs: P.kwargs) -> Picture:
        with matplotlib.rc_context(STYLE):
            return draw(*args, **kwargs)

    return styled


def new_picture(height: float = 3.4, width: float = WIDTH) -> tuple[Picture, Axes]:
    """An empty picture of that size in inches, and its one pair of axes."""
    picture = Picture(figsize=(width, height), layout="constrained")
    return picture, picture.add_subplot()


def bare_canvas(height: float, width: float = WIDTH) -> tuple[Picture, Axes]:
    """A picture without axes whose units are inches, with the origin at the top left."""
    picture = Picture(figsize=(width, height))
    axes = picture.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    return picture, axes


def colours_for(names: Iterable[str]) -> list[str]:
    """One colour for each name: the book's own where the name is one of its ideas, else the next free one."""
    free = iter(OTHERS * 8)
    return [ROLES[name.lower()] if name.lower() in ROLES else next(free) for name in names]


def shown(token: str | bytes) -> str:
    """The token as figures print it: spaces, line ends and broken bytes made visible."""
    text = token.decode("utf-8", errors="backslashreplace") if isinstance(token, bytes) else str(token)
    text = text.replace(" ", "·").replace("\n", "↵").replace("\t", "→")
    # the other control characters have no shape
    text = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
    return text.replace("$", r"\$") or "∅"


def shown_label(label: str | bytes) -> str:
    """A label as it is, except that white space at its ends, or alone, is made visible."""
    text = str(label) if not isinstance(label, bytes) else shown(label)
    return shown(text) if text != text.strip() or not text else text.replace("$", r"\$")
