import re

import pytest

from llmcourse.book.theme import UnknownIcon, draw_icons, icons, mend_landmarks


def test_every_icon_of_the_theme_has_a_drawing() -> None:
    asked = [
        "arrow-up",
        "bars",
        "magnifying-glass",
        "moon",
        "sun",
        "circle-half-stroke",
        "angle-left",
        "list",
        "expand",
    ]
    assert all(re.match("[Mm]", icons()[name][2]) for name in asked)
    assert icons()["home"] == icons()["house"], "an alias stands for the same drawing"


def test_an_icon_element_becomes_a_drawing_that_screen_readers_skip() -> None:
    drawn = draw_icons('<b><i class="fa-solid fa-arrow-up me-1" title="up"></i></b>')
    assert drawn.startswith('<b><svg class="svg-inline--fa fa-solid fa-arrow-up me-1" title="up" aria-hidden="true"')
    assert drawn.endswith("</svg></b>")


def test_drawing_twice_changes_nothing_more_and_other_elements_stay() -> None:
    page = '<span class="fas fa-moon"></span><i class="italic">fa-moon</i><span class="fa-solid"></span>'
    once = draw_icons(page)
    assert draw_icons(once) == once
    assert '<i class="italic">fa-moon</i><span class="fa-solid"></span>' in once


def test_the_icon_script_is_dropped_and_other_scripts_stay() -> None:
    script = '\n<!-- So that users can add custom icons -->\n<script defer src="a/fontawesome.js?digest=1"></script>\n'
    assert draw_icons(f'{script}<script src="b.js"></script>').strip() == '<script src="b.js"></script>'


def test_an_unknown_icon_is_refused_by_name() -> None:
    with pytest.raises(UnknownIcon, match="no-such-icon"):
        draw_icons('<i class="fa-solid fa-no-such-icon"></i>')


def test_names_and_roles_are_mended_once() -> None:
    page = (
        '<button class="btn search-button-field x" title="Search" aria-label="Search">Search</button>'
        '<div id="pst-primary-sidebar" class="a"></div><div class="citation" role="doc-biblioentry"></div>'
        '<button class="other" aria-label="Menu"></button>'
    )
    mended = mend_landmarks(page)
    assert 'aria-label="Search"' not in mended
    assert 'role="region" aria-label="Book" class="a"' in mended
    assert "doc-biblioentry" not in mended
    assert '<button class="other" aria-label="Menu">' in mended
    assert mend_landmarks(mended) == mended
