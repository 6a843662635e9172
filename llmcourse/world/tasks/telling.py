"""A story that remembers how it was told, so that it can be told again in other words, or with one fact changed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from llmcourse.world.people import Person
from llmcourse.world.plots import tell_story
from llmcourse.world.story import Story
from llmcourse.world.tape import Distribution, SampleTape
from llmcourse.world.template import Piece, Slot, Wording
from llmcourse.world.weights import T

if TYPE_CHECKING:
    from llmcourse.world.world import World


def pick(random: Random, options: Sequence[T]) -> T:
    """One of `options`, each as likely as the others."""
    return options[int(random.random() * len(options))]


def shuffled(random: Random, items: Sequence[T]) -> list[T]:
    """`items` in any order; unlike the one of the standard library, the same in every version of Python."""
    left, found = list(items), []
    while left:
        found.append(left.pop(int(random.random() * len(left))))
    return found


@dataclass(frozen=True)
class Said:
    """A wording that was told: its rule and template, and, of a rule with groups, their labels and its own."""

    rule: str
    template: tuple[Piece, ...]
    label: Any = None
    labels: tuple[Any, ...] = ()


@dataclass
class Script:
    """All that a telling chose, in the order in which it was chosen: values of roles, wordings and ways to go on."""

    drawn: list[tuple[str, Any]] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    ways: list[tuple[str, int]] = field(default_factory=list)


# the forms of a person that tell a fact, and which; the others only say who it is
_TELLING = {"at": "place", "to": "place", "mends": "thing", "quirk": "quirk"}


class Telling(Story):
    """A story on a sampling tape that keeps its script."""

    def __init__(self, world: "World", random: Random) -> None:
        self._sampled = SampleTape(random)
        super().__init__(world, self._sampled)
        self.script = Script()

    def tell(self) -> None:
        """Tell the story, from its opening to its end."""
        tell_story(self)

    @property
    def text(self) -> str:
        """The story as far as it is told."""
        return " ".join(self._sampled.words)

    def _fill(self, role: str, value: Any) -> None:
        self.script.drawn.append((role, value))
        super()._fill(role, value)

    def _say(self, dist: Distribution, wording: Wording, grouped: bool) -> int:
        which = super()._say(dist, wording, grouped)
        self._note(dist, wording, grouped, which)
        return which

    def _note(self, dist: Distribution, wording: Wording, grouped: bool, which: int) -> None:
        label, labels = (wording.labels[which], tuple(dict.fromkeys(wording.labels))) if grouped else (None, ())
        self.script.said.append(Said(dist.rule, wording.templates[which], label, labels))

    def choose(self, rule: str, options: Sequence[Any], probs: Sequence[float] | None = None) -> Any:
        dist = self.world.distribution(rule, tuple(options), None if probs is None else tuple(probs))
        return dist.options[self._way(dist)]

    def go_on(self, rule: str, ways: Mapping[str, Callable[[Story], None]]) -> None:
        dist = self.world.distribution(rule, tuple(ways))
        tuple(ways.values())[self._way(dist)](self)

    def _way(self, dist: Distribution) -> int:
        which = self._tape.choose(dist)
        self.script.ways.append((dist.rule, which))
        return which


def tell(world: "World", random: Random) -> Telling:
    """One story of the world, as `World.draw` tells it, that somebody could be asked about."""
    while True:
        story = Telling(world, random)
        story.tell()
        if story.questions:
            return story


class OffScript(Exception):
    """The changed fact does not go with the rest of the story."""


class Retelling(Telling):
    """A story told again by the script of another, with the wordings of the rules in `reworded` drawn afresh.

    Drawn values, and labels of groups, may be replaced: `values` and `labels` hold the new ones by their places in
    the script. What a changed fact leads to, and the script does not know, is drawn afresh too.
    """

    def __init__(
        self,
        script: Script,
        world: "World",
        random: Random,
        reworded: frozenset[str],
        values: Mapping[int, Any] | None = None,
        labels: Mapping[int, Any] | None = None,
    ) -> None:
        super().__init__(world, random)
        self._random, self._reworded = random, reworded
        self._values, self._ways = Lines(script.drawn, values or {}), Lines(script.ways, {})
        self._said = Lines([(said.rule, said) for said in script.said], {})
        self._labels = Lines([(said.rule, said.label) for said in script.said], labels or {})

    def _distribution(self, role: str) -> Distribution:
        dist = super()._distribution(role)
        if role not in self._values:
            return dist
        value = self._values.next(role)
        if value not in [dist.options[i] for i in dist.possible]:
            raise OffScript
        return Distribution(dist.rule, (value,), (1.0,))

    def _way(self, dist: Distribution) -> int:
        if dist.rule not in self._ways:
            return super()._way(dist)
        which = self._ways.next(dist.rule)
        self.script.ways.append((dist.rule, which))
        return which

    def _say(self, dist: Distribution, wording: Wording, grouped: bool) -> int:
        fitting = self._fitting(dist, wording, grouped) if dist.rule in self._said else []
        if not fitting:
            return super()._say(dist, wording, grouped)
        which = pick(self._random, fitting)
        self._tell(wording.templates[which])
        self._note(dist, wording, grouped, which)
        return which

    def _fitting(self, dist: Distribution, wording: Wording, grouped: bool) -> list[int]:
        """The templates that may stand for the one that was said."""
        said, label = self._said.next(dist.rule), self._labels.next(dist.rule)
        same = [i for i in dist.possible if not grouped or wording.labels[i] == label]
        if label != said.label:
            return same
        if said.rule.rstrip("0123456789") in self._reworded:
            return [i for i in same if named_by(wording.templates[i]) == named_by(said.template)]
        return [i for i in same if wording.templates[i] == said.template]


class Lines:
    """What a script holds under each name, handed out in its order."""

    def __init__(self, pairs: Sequence[tuple[str, Any]], replaced: Mapping[int, Any]) -> None:
        self._left: dict[str, list[Any]] = {}
        for i, (name, value) in enumerate(pairs):
            self._left.setdefault(name, []).append(replaced.get(i, value))

    def __contains__(self, name: str) -> bool:
        return bool(self._left.get(name))

    def next(self, name: str) -> Any:
        """The next value under `name`."""
        return self._left[name].pop(0)


def named_by(template: tuple[Piece, ...]) -> set[tuple[str, str]]:
    """The roles that a template names, with the facts about them that it tells: where they work, what they mend."""
    return {(piece.role, _TELLING.get(piece.form, "")) for piece in template if isinstance(piece, Slot)}


def newcomers(world: "World", story: Story) -> list[Person]:
    """The people of the world who are not in the story."""
    return [person for person in world.people if person not in story.cast]
