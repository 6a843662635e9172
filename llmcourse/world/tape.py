"""A plot runs against a tape: one tape draws a story, another finds every way to tell a given text."""

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from random import Random
from typing import Any, Protocol, Self

from llmcourse.world.template import Slot, Trie, render_words
from llmcourse.world.weights import added


class DeadEnd(Exception):
    """This telling does not give this text."""


class Table:
    """What each option of a distribution looks like in one slot."""

    def __init__(self, options: Sequence[Any], slot: Slot) -> None:
        self.words = [render_words(option, *slot.look) for option in options]
        self.by_first: dict[str, list[int]] = {}
        for i, words in enumerate(self.words):
            self.by_first.setdefault(words[0], []).append(i)


class Distribution:
    """Options with their probabilities, under the name of the rule that made it."""

    def __init__(self, rule: str, options: Sequence[Any], probs: Sequence[float]) -> None:
        self.rule, self.options, self.probs = rule, tuple(options), tuple(probs)
        self.logs = tuple(math.log(p) if p > 0 else -math.inf for p in probs)
        self.possible = tuple(i for i, p in enumerate(probs) if p > 0)
        self.entropy = -added(p * log for p, log in zip(self.probs, self.logs, strict=True) if p > 0)
        self._cumulative = list(accumulate(probs))
        # rounding may leave the last sum just under 1, or above it where a probability 0 closes the list
        self._last = self.possible[-1]
        self._tables: dict[tuple[str, str, str], Table] = {}

    def index_at(self, u: float) -> int:
        """The option at `u` in [0, 1) of the cumulative distribution."""
        return min(bisect_right(self._cumulative, u), self._last)

    def table(self, slot: Slot) -> Table:
        """The options as they read in `slot`."""
        found = self._tables.get(slot.look)
        if found is None:
            found = self._tables[slot.look] = Table(self.options, slot)
        return found


class Teller(Protocol):
    """What a tape must know of a story to look ahead in a template."""

    def peek(self, slot: Slot) -> tuple[str, ...] | Distribution:
        """The words of a slot, or the distribution that they will be drawn from."""

    def snapshot(self) -> Self:
        """The story so far, to go on from more than once."""


class Tape(Protocol):
    """What a plot asks of the world."""

    def choose(self, dist: Distribution) -> int:
        """A choice that shows in no words yet."""

    def choose_template(self, dist: Distribution, trie: Trie, story: Teller) -> int:
        """A choice of wording; its words follow."""

    def draw(self, dist: Distribution, slot: Slot) -> int:
        """A choice that shows at once, as the words of `slot`."""

    def emit(self, words: tuple[str, ...]) -> None:
        """Words that are certain."""

    def branch(self, dist: Distribution, ways: Sequence[Callable[[Any], None]], story: Teller) -> None:
        """A choice of how the story goes on, as the last thing that a plot does."""


class SampleTape:
    """Draws every choice; afterwards `words` is the text and `log_prob` that of this derivation, in nats."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.words: list[str] = []
        self.choices: list[tuple[str, int]] = []
        self.log_prob = 0.0
        self.entropy = 0.0

    def choose(self, dist: Distribution) -> int:
        if len(dist.options) == 1:
            return 0
        i = dist.index_at(self._random.random())
        self.log_prob += dist.logs[i]
        self.entropy += dist.entropy
        self.choices.append((dist.rule, i))
        return i

    def choose_template(self, dist: Distribution, trie: Trie, story: Teller) -> int:
        return self.choose(dist)

    def draw(self, dist: Distribution, slot: Slot) -> int:
        i = self.choose(dist)
        self.words += render_words(dist.options[i], *slot.look)
        return i

    def emit(self, words: tuple[str, ...]) -> None:
        self.words += words

    def branch(self, dist: Distribution, ways: Sequence[Callable[[Any], None]], story: Teller) -> None:
        ways[self.choose(dist)](story)


@dataclass
class _Node:
    """A place to search from: a story so far, how it goes on, and the choices to replay before the search resumes."""

    story: Any
    way: Callable[[Any], None]
    at: int
    log: float
    choices: list[tuple[str, int]]
    script: list[int] = field(default_factory=list)


class ScanTape:
    """Replays a story along a given text; where several options fit, the others wait on `agenda`.

    With `open_end` the text is a prefix: `following` gathers each possible next word with its log-probability.
    """

    def __init__(self, words: Sequence[str], open_end: bool) -> None:
        self._text = tuple(words)
        self._open_end = open_end
        self._agenda: list[_Node] = []
        self.following: list[tuple[str, float]] = []

    def search(self, story: Teller, tell: Callable[[Any], None]) -> list[tuple[float, list[tuple[str, int]], Any]]:
        """Every derivation of the whole text: log-probability in nats, choices, and the story as it was told."""
        found = []
        self._agenda.append(_Node(story, tell, 0, 0.0, []))
        while self._agenda:
            node = self._node = self._agenda.pop()
            self._at, self._log, self._step = node.at, node.log, 0
            self._script, self._choices = node.script, node.choices[: len(node.choices) - len(node.script)]
            self._replaying = bool(node.script)
            self._story = node.story.snapshot()
            try:
                node.way(self._story)
            except DeadEnd:
                continue
            if self._at == len(self._text):
                if self._open_end:
                    self.following.append(("", self._log))
                else:
                    found.append((self._log, self._choices, self._story))
        return found

    def branch(self, dist: Distribution, ways: Sequence[Callable[[Any], None]], story: Teller) -> None:
        for i in reversed(dist.possible):
            choices = self._choices if len(ways) == 1 else [*self._choices, (dist.rule, i)]
            self._agenda.append(_Node(story, ways[i], self._at, self._log + dist.logs[i], choices))
        raise DeadEnd

    def _settle(self, dist: Distribution, fits: Sequence[int], sizes: Sequence[int] | None = None) -> int:
        """Take the first option that fits, and leave the others on the agenda."""
        if not fits:
            raise DeadEnd
        for i in fits[1:]:
            size = sizes[i] if sizes else 0
            log, choices = self._log + dist.logs[i], [*self._choices, (dist.rule, i)]
            script = [*self._script, i]
            self._agenda.append(_Node(self._node.story, self._node.way, self._at + size, log, choices, script))
        i = fits[0]
        self._script.append(i)
        self._step += 1
        self._log += dist.logs[i]
        self._at += sizes[i] if sizes else 0
        self._choices.append((dist.rule, i))
        return i

    def _replay(self, dist: Distribution) -> int:
        i = self._script[self._step]
        self._step += 1
        self._choices.append((dist.rule, i))
        self._replaying = self._step < len(self._script)
        return i

    def choose(self, dist: Distribution) -> int:
        if len(dist.options) == 1:
            return 0
        if self._replaying:
            return self._replay(dist)
        return self._settle(dist, dist.possible)

    def draw(self, dist: Distribution, slot: Slot) -> int:
        table = dist.table(slot)
        if len(dist.options) == 1:
            self.emit(table.words[0])
            return 0
        if self._replaying:
            return self._replay(dist)
        text, at = self._text, self._at
        if at == len(text):
            self._end_here((table.words[i][0], dist.logs[i]) for i in dist.possible)
        fits, sizes = [], {}
        for i in table.by_first.get(text[at], ()):
            words = table.words[i]
            n = len(words)
            if text[at : at + n] == words:
                if dist.probs[i] > 0:
                    fits.append(i)
                    sizes[i] = n
            elif self._open_end and at + n > len(text) and text[at:] == words[: len(text) - at] and dist.probs[i] > 0:
                self.following.append((words[len(text) - at], self._log + dist.logs[i]))
        return self._settle(dist, fits, sizes)  # type: ignore[arg-type]

    def choose_template(self, dist: Distribution, trie: Trie, story: Teller) -> int:
        if len(dist.options) == 1:
            return 0
        if self._replaying:
            return self._replay(dist)
        fits: list[int] = []
        self._walk(trie, self._at, story, fits)
        return self._settle(dist, [i for i in sorted(fits) if dist.probs[i] > 0])

    def _walk(self, node: Trie, at: int, story: Teller, fits: list[int]) -> None:
        """Gather the templates that the text may go on with, as far as their slots are known."""
        text = self._text
        if at == len(text):
            fits += node.below if self._open_end else node.ends
            return
        fits += node.ends
        child = node.words.get(text[at])
        if child is not None:
            self._walk(child, at + 1, story, fits)
        for slot, child in node.slots:
            words = story.peek(slot)
            if isinstance(words, Distribution):
                if text[at] in words.table(slot).by_first:
                    fits += child.below
            elif text[at : at + len(words)] == words:
                self._walk(child, at + len(words), story, fits)
            elif self._open_end and at + len(words) > len(text) and text[at:] == words[: len(text) - at]:
                fits += child.below

    def emit(self, words: tuple[str, ...]) -> None:
        if self._replaying:
            return
        text, at, n = self._text, self._at, len(words)
        if text[at : at + n] == words:
            self._at = at + n
            return
        if self._open_end and at + n > len(text) and text[at:] == words[: len(text) - at]:
            self._end_here([(words[len(text) - at], 0.0)])
        raise DeadEnd

    def _end_here(self, words: Any) -> None:
        """The text ends before these words: note them, where it is a prefix, and stop."""
        if self._open_end:
            self.following += ((word, self._log + log) for word, log in words)
        raise DeadEnd
