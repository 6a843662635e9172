import re

from llmcourse.book.figures import for_dark_pages
from llmcourse.plots import bars
from llmcourse.plots.style import DARK, INK, to_svg

COLOUR = re.compile(r"#[0-9a-f]{6}\b")


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_each_known_colour_is_swapped_once_and_others_stay() -> None:
    # a partner that is itself a known colour must not be swapped again
    partners = {"#ffffff": "#000000", "#000000": "#ffffff"}
    assert (
        for_dark_pages("a #FFFFFF b #000000 c #123456 #fffffff", partners) == "a #000000 b #ffffff c #123456 #fffffff"
    )


def test_a_drawing_of_the_house_has_readable_ink_on_both_pages() -> None:
    light = to_svg(bars(["a", "b"], [0.4, 0.6], truth=[0.5, 0.5]))
    dark = for_dark_pages(light, DARK)
    assert INK in light
    assert INK not in dark
    assert contrast(INK, "#ffffff") > 4.5
    assert contrast(DARK[INK], "#121212") > 4.5
    assert len(COLOUR.findall(light)) == len(COLOUR.findall(dark))
