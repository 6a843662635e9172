"""Laws that hold for every figure of the house."""

import re
import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from llmcourse import plots
from llmcourse.plots import style
from tests.plots.gallery import GALLERY

COLOUR = re.compile(r"#[0-9a-f]{6}\b")
PHONE = 358  # CSS pixels of text width on a phone that is 390 wide


def contrast(one: str, other: str) -> float:
    """The contrast ratio of the accessibility guidelines (WCAG 2.2), 1 to 21."""

    def luminance(colour: str) -> float:
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_gallery_holds_every_function():
    named = {name.split()[-1] for name in GALLERY} | {"bars"}
    assert set(plots.__all__) - {"Picture"} <= named | {"transformer_block"}


@pytest.mark.parametrize("name", GALLERY)
def test_a_figure_is_the_same_svg_each_time_and_holds_only_colours_that_dark_pages_know(name):
    svg = GALLERY[name]()._repr_svg_()
    assert svg == GALLERY[name]()._repr_svg_()
    fixed = {style.SHADE, style.COUNTER_SHADE, style.ON_SHADE}
    assert set(COLOUR.findall(svg)) <= set(style.DARK) | fixed
    assert "<text" not in svg  # letters are drawn as paths, so no reader needs the font
    assert not re.search(r"fill: (white|black)", svg)


@pytest.mark.parametrize("name", GALLERY)
def test_text_stays_readable_on_a_phone(name):
    picture = GALLERY[name]()
    svg = picture._repr_svg_()
    css_pixels = float(re.search(r'width="([\d.]+)pt"', svg).group(1)) * 4 / 3
    texts = picture.findobj(lambda artist: isinstance(artist, matplotlib.text.Text) and artist.get_text())
    smallest = min(text.get_fontsize() for text in texts) * 4 / 3
    assert smallest * min(1.0, PHONE / css_pixels) >= 7.5
    assert css_pixels <= 560


@pytest.mark.parametrize("name", [name for name in GALLERY if "strip" not in name and "token" not in name])
def test_axes_that_are_shown_have_names(name):
    picture = GALLERY[name]()
    together = picture.get_supxlabel() or picture.get_supylabel()
    for axes in picture.axes:
        if axes.axison and not together:
            assert axes.get_xlabel() or axes.get_ylabel()
            numeric = [axis for axis in (axes.xaxis, axes.yaxis) if not _has_words(axis)]
            assert all(axis.get_label_text() for axis in numeric)


def _has_words(axis) -> bool:
    return any(re.search("[a-z]", label.get_text()) for label in axis.get_ticklabels())


@pytest.mark.parametrize("colour", [style.INK, style.MUTED])
def test_text_colours_contrast_with_both_papers(colour):
    assert contrast(colour, style.PAPER) >= 4.5
    assert contrast(style.DARK[colour], style.DARK[style.PAPER]) >= 4.5


@pytest.mark.parametrize("colour", [style.MODEL, style.TRUTH, style.BASELINE, style.STUDENT, *style.OTHERS])
def test_series_colours_contrast_with_both_papers(colour):
    assert contrast(colour, style.PAPER) >= 3
    assert contrast(style.DARK[colour], style.DARK[style.PAPER]) >= 3


def test_a_swapped_colour_is_never_swapped_again():
    assert not set(style.DARK.values()) & set(style.DARK)
    assert len(set(style.DARK.values())) == len(style.DARK)
    assert not {style.SHADE, style.COUNTER_SHADE, style.ON_SHADE} & set(style.DARK)


# Viénot, Brettel and Mollon 1999: what a reader without red or without green cones sees, in linear light.
BLINDNESS = {
    "protanopia": [[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]],
    "deuteranopia": [[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]],
}


@pytest.mark.parametrize("blindness", BLINDNESS)
@pytest.mark.parametrize("paper", ["white", "dark"])
def test_model_truth_and_student_differ_for_colour_blind_readers(blindness, paper):
    colours = [style.MODEL, style.TRUTH, style.STUDENT]
    seen = [_seen(style.DARK[c] if paper == "dark" else c, BLINDNESS[blindness]) for c in colours]
    for i in range(3):
        for j in range(i):
            assert np.abs(seen[i] - seen[j]).max() > 0.15, (colours[i], colours[j])


def _seen(colour: str, matrix: list[list[float]]) -> np.ndarray:
    linear = np.array(to_rgb(colour)) ** 2.2
    return np.clip(np.array(matrix) @ linear, 0, 1) ** (1 / 2.2)


def test_drawing_leaves_the_settings_of_matplotlib_alone():
    before = dict(matplotlib.rcParams)
    GALLERY["bars"]()._repr_svg_()
    assert dict(matplotlib.rcParams) == before


def test_plots_need_no_torch_and_no_pyplot():
    code = "import sys, llmcourse.plots; sys.exit('torch' in sys.modules or 'matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2]).returncode == 0
