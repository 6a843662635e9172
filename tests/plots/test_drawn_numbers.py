"""What is drawn is what was given."""

import io
from itertools import pairwise

import numpy as np
import pytest

from llmcourse import plots
from llmcourse.plots import style
from llmcourse.plots.curves import running_mean
from llmcourse.plots.grids import shades
from tests.plots.gallery import TOKENS, attention


def widths(picture) -> list[float]:
    """How far the lying bars reach."""
    return [patch.get_width() for patch in picture.axes[0].patches]


def test_bars_are_as_long_as_the_numbers_and_diamonds_stand_at_the_truth():
    picture = plots.bars(["ran", "barked"], [0.6, 0.4], truth=[0.5, 0.3])
    assert widths(picture) == [0.6, 0.4]
    assert picture.axes[0].collections[0].get_offsets()[:, 0].tolist() == [0.5, 0.3]


def test_short_labels_stand_and_long_labels_lie():
    standing = plots.bars(["a", "b"], [0.6, 0.4])
    assert [patch.get_height() for patch in standing.axes[0].patches] == [0.6, 0.4]
    assert [tick.get_text() for tick in standing.axes[0].get_xticklabels()] == ["a", "b"]
    lying = plots.bars(["long name", "b"], [0.6, 0.4])
    assert [tick.get_text() for tick in lying.axes[0].get_yticklabels()] == ["long name", "b"]


def test_each_idea_keeps_its_colour_whatever_stands_beside_it():
    for names in (["model", "student"], ["bigram", "student", "model"], ["student", "baseline", "x", "model"]):
        colours = dict(zip(names, style.colours_for(names), strict=True))
        assert colours["model"] == style.MODEL
        assert colours["student"] == style.STUDENT
        assert len(set(colours.values())) == len(names)


def test_distribution_bars_lose_no_mass():
    model = {"a": 0.5, "b": 0.2, "c": 0.2, "": 0.1}
    truth = {"a": 0.25, "d": 0.75}
    picture = plots.distribution_bars(model, truth, top=2)
    assert widths(picture) == pytest.approx([0.0, 0.5, 0.5])  # d, a, three others
    assert picture.axes[0].collections[0].get_offsets()[:, 0].tolist() == [0.75, 0.25, 0.0]
    assert [tick.get_text() for tick in picture.axes[0].get_yticklabels()] == ["d", "a", "3 others"]


def test_the_end_of_a_document_has_a_name():
    picture = plots.distribution_bars({"": 1.0})
    assert picture.axes[0].get_yticklabels()[0].get_text() == "(end)"


def test_the_floor_is_a_level_line_at_its_value():
    picture = plots.loss_curve([0, 1, 2], [3.0, 2.0, 1.5], floor=1.25, references={"bigram": 2.5})
    levels = [line.get_ydata()[0] for line in picture.axes[0].lines[1:]]
    assert levels == [2.5, 1.25]
    assert [text.get_text() for text in picture.axes[0].texts] == ["bigram 2.50", "floor 1.25"]
    assert picture.axes[0].get_ylim()[0] < 1.25


def test_a_running_mean_is_the_mean_of_its_window():
    values = np.random.default_rng(0).normal(size=20)
    assert running_mean(values, 4)[3] == pytest.approx(values[3:7].mean())
    assert len(running_mean(values, 4)) == 17


def test_lines_take_y_alone_or_pairs():
    picture = plots.lines({"model": [5, 6, 7], "bigram": ([10, 20], [1, 2])}, x_label="x", y_label="y")
    first, second = picture.axes[0].lines
    assert first.get_xdata().tolist() == [0, 1, 2]
    assert second.get_xdata().tolist() == [10, 20]


def test_shade_is_proportional_to_size_and_its_colour_tells_the_sign():
    cells = shades([[0.0, 0.5], [-1.0, np.nan]])
    assert cells[..., 3].tolist() == [[0.0, 0.5], [1.0, 0.0]]
    assert not np.allclose(cells[0, 1, :3], cells[1, 0, :3])


def test_heads_share_one_scale_so_that_they_can_be_compared():
    weights = attention(3) * np.array([1.0, 0.5, 0.25])[:, None, None]
    picture = plots.attention_heads(weights, TOKENS)
    for axes, head in zip(picture.axes, weights, strict=False):
        assert np.allclose(axes.images[0].get_array()[..., 3], head, atol=1e-6)


def test_a_histogram_counts_every_value():
    values = np.random.default_rng(0).normal(size=333)
    picture = plots.histogram(values, x_label="x", bins=7)
    assert sum(patch.get_height() for patch in picture.axes[0].patches) == 333


def test_an_axis_that_counts_has_no_halves():
    for picture in (
        plots.histogram([1.0, 2.0, 2.1], x_label="x", bins=2),
        plots.bars(["a", "b"], [1, 2]),
    ):
        assert all(float(tick).is_integer() for tick in picture.axes[0].get_yticks())
    for shares in ([0.5, 1.0], [0.0, 1.0]):  # shares may be whole by chance
        assert any(not float(tick).is_integer() for tick in plots.bars(["a", "b"], shares).axes[0].get_yticks())


def test_a_strip_shows_every_token_with_its_white_space():
    picture = plots.token_strip(["the", " dog", "\n", b"\xe2\x82", "$5"])
    assert [text.get_text() for text in picture.axes[0].texts] == ["the", "·dog", "↵", r"\xe2\x82", r"\$5"]


def test_a_long_strip_wraps_within_the_picture():
    picture = plots.token_strip(["token"] * 40)
    boxes = [patch.get_bbox() for patch in picture.axes[0].patches]
    assert len({round(box.y0, 3) for box in boxes}) > 1
    assert max(box.x1 for box in boxes) <= style.WIDTH
    assert max(box.y1 for box in boxes) <= picture.get_figheight()


@pytest.mark.parametrize("draw", [
    lambda: plots.bars(["a"], [1.0, 2.0]),
    lambda: plots.heatmap([[1.0]], ["a"], ["b", "c"]),
    lambda: plots.attention_heads(attention(2), TOKENS[:-1]),
    lambda: plots.token_surprisal(["a"], [1.0, 2.0]),
    lambda: plots.positions_heatmap([1.0]),
    lambda: plots.beam_tree([(("a", "b"), -1.0, True)]),
    lambda: plots.lines({}, x_label="x", y_label="y"),
])  # fmt: skip
def test_numbers_that_do_not_fit_their_names_are_refused(draw):
    with pytest.raises(ValueError, match=r"needs|no parent"):
        draw()


def test_a_beam_tree_joins_each_candidate_to_its_parent_and_marks_what_was_kept():
    picture = plots.beam_tree([(("a",), -0.5, True), (("b",), -1.5, False), (("a", "c"), -0.9, True)])
    axes = picture.axes[0]
    labels = {text.get_text(): text for text in axes.texts}
    assert set(labels) == {"start", "a\n-0.50", "b\n-1.50", "c\n-0.90"}
    assert labels["a\n-0.50"].get_weight() == "bold"
    assert labels["b\n-1.50"].get_weight() == "normal"
    assert len(axes.lines) == 3


def test_a_short_logarithmic_axis_is_labelled_with_plain_numbers_that_do_not_touch():
    picture = plots.lines({"a": [3, 2, 1]}, x=[257, 1000, 8000], log_x=True, x_label="size (ids)", y_label="cost")
    picture.savefig(io.BytesIO())  # labels have a place once they are drawn
    labels = [label for label in picture.axes[0].get_xticklabels(which="both") if label.get_text()]
    assert {"500", "1,000", "5,000"} <= {label.get_text() for label in labels}
    boxes = sorted((label.get_window_extent() for label in labels), key=lambda box: box.x0)
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))


@pytest.mark.parametrize("log_y", [False, True])
def test_a_floor_leaves_every_curve_in_view_on_both_scales(log_y):
    picture = plots.lines({"loss": [6.0, 1.0, 0.4]}, x_label="step", y_label="loss", floor=0.2, log_y=log_y)
    low, high = picture.axes[0].get_ylim()
    assert high >= 6.0 > 0.2 > low > (0.0 if log_y else -2.0)
    # the curve takes up most of the height
    to_screen = picture.axes[0].transData.transform
    assert to_screen((0, 6.0))[1] - to_screen((0, 0.2))[1] > 0.75 * picture.axes[0].bbox.height


def test_a_moment_is_an_upright_line_with_its_name_on_either_scale():
    for log_x in (False, True):
        picture = plots.loss_curve([1, 10, 100], [3.0, 2.0, 1.5], moments={"now": 10}, log_x=log_x)
        axes = picture.axes[0]
        assert list(axes.lines[-1].get_xdata()) == [10, 10]
        assert [text.get_text() for text in axes.texts] == ["now"]
        middle = axes.transAxes.inverted().transform(axes.transData.transform((10, 2.0)))[0]
        assert middle == pytest.approx(0.5 if log_x else 0.1, abs=0.04)


def test_a_space_inside_a_name_stays_a_space_and_one_at_its_end_is_shown():
    picture = plots.heatmap([[1.0, 0.5]], ["layer 0, head 1"], [" the", "a b"])
    assert [tick.get_text() for tick in picture.axes[0].get_yticklabels()] == ["layer 0, head 1"]
    assert [tick.get_text() for tick in picture.axes[0].get_xticklabels()] == ["·the", "a b"]


def test_the_labels_of_a_beam_tree_do_not_touch():
    long = [((" unfortunately",), -0.5, True), ((" unfortunately", " so"), -0.6, True), ((" b",), -1.0, False)]
    picture = plots.beam_tree([*long, ((" unfortunately", " and"), -0.9, False)])
    picture.savefig(io.BytesIO())  # labels have a place once they are drawn
    boxes = [text.get_window_extent() for text in picture.axes[0].texts]
    assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])


def test_the_marks_of_a_histogram_differ_in_more_than_their_colour():
    picture = plots.histogram([1.0, 2.0, 2.5], x_label="nats", marks={"a": 1.0, "b": 2.0, "c": 3.0})
    marks = picture.axes[0].lines
    assert [line.get_xdata()[0] for line in marks] == [1.0, 2.0, 3.0]
    assert len({str(line._dash_pattern) for line in marks}) == 3


def test_rankings_go_from_place_to_place_and_far_moves_stand_out():
    picture = plots.two_rankings(list("abcd"), [0.1, 0.3, 0.3, 0.9], [4, 3, 2, 1], titles=("here", "there"), far=3)
    ends = [list(line.get_ydata()) for line in picture.axes[0].lines]
    assert ends == [[1, 4], [2.5, 3], [2.5, 2], [4, 1]]
    assert [line.get_color() for line in picture.axes[0].lines] == [style.TRUTH, style.MODEL, style.MODEL, style.TRUTH]
    assert [line.get_linestyle() for line in picture.axes[0].lines] == ["--", "-", "-", "--"]
    assert [tick.get_text() for tick in picture.axes[0].get_yticklabels()] == ["a", "b, c", "d"]
    top, bottom = picture.axes[0].get_ylim()[::-1]
    assert top < bottom  # the first place is on top


def test_rankings_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match=r"two_rankings needs .*: 2 names, 2 and 3 numbers\."):
        plots.two_rankings(["a", "b"], [1, 2], [1, 2, 3], titles=("here", "there"))
