"""Text ends at the first stop, however it comes in pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.decoding import until


def _first_stop(text: str, stops: list[str]) -> str:
    """The same by definition: read letter by letter, and cut off the longest stop that the text ends with."""
    for n in range(len(text) + 1):
        lengths = [len(stop) for stop in stops if text[:n].endswith(stop)]
        if lengths:
            return text[: n - max(lengths)]
    return text


letters = st.text("ab\n", max_size=4)


@given(st.lists(letters, max_size=8), st.lists(st.text("ab\n", min_size=1, max_size=4), max_size=3))
def test_a_stop_is_found_wherever_the_pieces_part_it(pieces, stops):
    assert "".join(until(pieces, stops)) == _first_stop("".join(pieces), stops)


def test_only_what_could_begin_a_stop_is_held_back():
    seen = []

    def pieces():
        for piece in ("The en", "d of ", "it. The end", "less"):
            yield piece
            seen.append("".join(shown))

    shown = []
    for piece in until(pieces(), ["end."]):
        shown.append(piece)
    assert seen == ["The ", "The end of ", "The end of it. The ", "The end of it. The endless"]


def test_nothing_is_asked_for_after_the_stop():
    def pieces():
        yield "a stop"
        raise AssertionError("the model went on writing")

    assert list(until(pieces(), ["stop"])) == ["a "]


def test_an_empty_stop_is_refused():
    with pytest.raises(ValueError, match="A stop text must hold at least 1 character"):
        list(until(["a"], ["b", ""]))
