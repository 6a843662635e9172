"""The plots of the world: each is a function that tells one story."""

from collections.abc import Callable, Mapping
from functools import partial

from llmcourse.world.codas import opening
from llmcourse.world.plots.changes import shift, swap
from llmcourse.world.plots.council import sign, vote
from llmcourse.world.plots.hands import key, lend
from llmcourse.world.plots.numbers import count, market, rumour
from llmcourse.world.plots.outings import soup, trip
from llmcourse.world.plots.things import mend, search
from llmcourse.world.plots.village import contest, stranger
from llmcourse.world.story import Story

PLOTS: Mapping[str, Callable[[Story], None]] = {
    plot.__name__: plot
    for plot in (lend, key, search, mend, market, count, rumour, vote, stranger, contest, sign, soup, trip, swap, shift)
}


def tell_story(s: Story) -> None:
    """A day of the world: an opening, then one of the plots."""
    opening(s)
    s.go_on("plot", {name: partial(_tell_plot, name) for name in s.world.dials.plots})


def _tell_plot(name: str, s: Story) -> None:
    s.labels["plot"] = name
    PLOTS[name](s)
