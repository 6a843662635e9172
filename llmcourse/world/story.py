"""A story in the telling: who plays which role, who was just named, and what a reader could be asked."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from llmcourse.world.lexicon import Thing
from llmcourse.world.people import Person, Stranger
from llmcourse.world.tape import Distribution, Tape
from llmcourse.world.template import Piece, Slot, Wording, render_words

if TYPE_CHECKING:
    from llmcourse.world.world import World

Pending = Callable[[], Distribution]
MAIN = "a"  # the role of the main person
_PRONOUN_FORMS = {"or": ("he", "name"), "Or": ("He", "name"), "orhim": ("him", "name")}


@dataclass(frozen=True)
class Question:
    """Something that the story settles, with its answer; `kind` names the sort of question."""

    kind: str
    question: str
    answer: str


class Mention(NamedTuple):
    """Words that the story filled into a slot: how many words stand before them, and what they tell of.

    `form` is the form that was told, so a pronoun is known from a name; `prefix` is what touches the first word.
    """

    n_before: int
    value: Any
    form: str
    prefix: str


class Story:
    """The state of one telling. Plots use no randomness of their own: every choice goes through the tape."""

    def __init__(self, world: "World", tape: Tape) -> None:
        self.world, self._tape = world, tape
        self._roles: dict[str, Any] = {}
        self._pending: dict[str, Pending] = {}
        self._recent: tuple[Person | Stranger, ...] = ()
        self._n_words = 0
        self._mentions: list[tuple[int, Any, str, str]] = []
        self.cast: list[Person] = []
        self._things: list[Thing] = []
        self.labels: dict[str, Any] = {}
        self.questions: list[Question] = []

    def snapshot(self) -> "Story":
        """The story so far, to go on from more than once."""
        twin = Story.__new__(Story)
        twin.world, twin._tape, twin._recent = self.world, self._tape, self._recent
        twin._roles, twin._pending, twin.cast = self._roles.copy(), self._pending.copy(), self.cast.copy()
        twin.labels, twin.questions = self.labels.copy(), self.questions.copy()
        twin._things = self._things.copy()
        twin._n_words, twin._mentions = self._n_words, self._mentions.copy()
        return twin

    # -- roles ---------------------------------------------------------------------------------------------------
    def let(self, **roles: Any) -> None:
        """Give roles their values; a function that returns a distribution is drawn where its words first show."""
        for name, value in roles.items():
            if callable(value):
                self._pending[name] = value
                self._roles.pop(name, None)
            else:
                self._pending.pop(name, None)
                self._set(name, value)

    def _set(self, role: str, value: Any) -> None:
        self._roles[role] = value
        if isinstance(value, Person) and value not in self.cast:
            self.cast.append(value)
        elif isinstance(value, Thing) and value not in self._things:
            self._things.append(value)

    def __getitem__(self, role: str) -> Any:
        if role in self._pending:
            dist = self._distribution(role)
            self._fill(role, dist.options[self._tape.choose(dist)])
        return self._roles[role]

    def _distribution(self, role: str) -> Distribution:
        dist = self._pending[role]()
        return self._apart(role, dist) if self.world.keeps_apart else dist

    def _apart(self, role: str, dist: Distribution) -> Distribution:
        """`dist` without the things that the main person never meets, or without the people who never meet a thing."""
        if role == MAIN:
            for thing in self._things:
                dist = self.world.apart(dist, thing)
        elif MAIN in self._roles and isinstance(dist.options[0], Thing):
            dist = self.world.apart(dist, self._roles[MAIN])
        return dist

    def _fill(self, role: str, value: Any) -> None:
        del self._pending[role]
        self._set(role, value)

    # -- what roles are drawn from -------------------------------------------------------------------------------
    def someone(self) -> Distribution:
        """One of the people who are not in the story yet."""
        return self.world.people_but(tuple(self.cast))

    def one_of(self, rule: str, options: Sequence[Any], but: Sequence[Any] = ()) -> Pending:
        """One of `options`, none of those in `but`, with the weights that the world gives this rule."""
        left = tuple(option for option in options if option not in but) if but else tuple(options)
        return lambda: self.world.distribution(rule, left)

    def weighted(self, rule: str, options: Sequence[Any], probs: Sequence[float]) -> Pending:
        """One of `options` with these probabilities."""
        return lambda: self.world.distribution(rule, tuple(options), tuple(probs))

    # -- telling -------------------------------------------------------------------------------------------------
    def choose(self, rule: str, options: Sequence[Any], probs: Sequence[float] | None = None) -> Any:
        """A choice that does not show yet."""
        dist = self.world.distribution(rule, tuple(options), None if probs is None else tuple(probs))
        return dist.options[self._tape.choose(dist)]

    def chance(self, rule: str, p: float) -> bool:
        """True with probability `p`."""
        return self.choose(rule, (True, False), (p, 1.0 - p))

    def go_on(self, rule: str, ways: Mapping[str, Callable[["Story"], None]]) -> None:
        """Choose how the story goes on. This is the last thing that a plot does: nothing after it is told.

        A search for a text tries each way from here, without telling again what came before.
        """
        self._tape.branch(self.world.distribution(rule, tuple(ways)), tuple(ways.values()), self)

    def say(self, rule: str, *templates: str) -> int:
        """Tell one of `templates`; which one it is comes back. Ids are places in the list: add at its end only."""
        return self._say(*self.world.wordings(rule, templates), grouped=False)

    def say_one(self, rule: str, groups: Mapping[Any, tuple[str, ...]], probs: Sequence[float]) -> Any:
        """Tell a template of one group; the groups have these probabilities, and the group's label comes back."""
        dist, wording = self.world.grouped(rule, groups, tuple(probs))
        return wording.labels[self._say(dist, wording, grouped=True)]

    def _say(self, dist: Distribution, wording: Wording, grouped: bool) -> int:
        """Tell one of the templates, and return its place; those of a group share what they tell."""
        which = self._tape.choose_template(dist, wording.trie, self)
        self._tell(wording.templates[which])
        return which

    def _tell(self, template: tuple[Piece, ...]) -> None:
        named: list[Person | Stranger] = []
        n_words = self._n_words
        for piece in template:
            if not isinstance(piece, Slot):
                self._tape.emit(piece)
                n_words += len(piece)
                continue
            if piece.role in self._pending:
                dist, form = self._distribution(piece.role), piece.form
                value = dist.options[self._tape.draw(dist, piece)]
                self._fill(piece.role, value)
                words = render_words(value, form, piece.prefix, piece.suffix)
            else:
                value, form = self._roles[piece.role], piece.form
                if form in _PRONOUN_FORMS:
                    form = self._pronoun(form, value)
                words = render_words(value, form, piece.prefix, piece.suffix)
                self._tape.emit(words)
            self._mentions.append((n_words, value, form, piece.prefix))
            n_words += len(words)
            if isinstance(value, Person | Stranger) and value not in named:
                named.append(value)
        self._n_words = n_words
        if named:
            self._recent = tuple(named)

    @property
    def mentions(self) -> list[Mention]:
        """What the story filled into slots so far, in its order."""
        return [Mention(*mention) for mention in self._mentions]

    def peek(self, slot: Slot) -> tuple[str, ...] | Distribution:
        """The words of `slot`, or the distribution that they will be drawn from."""
        return self._distribution(slot.role) if slot.role in self._pending else self._words(slot)

    def _words(self, slot: Slot) -> tuple[str, ...]:
        value, form = self._roles[slot.role], slot.form
        if form in _PRONOUN_FORMS:
            form = self._pronoun(form, value)
        return render_words(value, form, slot.prefix, slot.suffix)

    def _pronoun(self, form: str, person: Person | Stranger) -> str:
        """The pronoun where it is clear whom it means, else the name."""
        return _PRONOUN_FORMS[form][not self._is_clear(person)]

    def _is_clear(self, person: Person | Stranger) -> bool:
        """Whether a pronoun now means `person` and nobody else who was named in the sentence before."""
        return [p for p in self._recent if p.forms["he"] == person.forms["he"]] == [person]

    # -- truth ---------------------------------------------------------------------------------------------------
    def ask(self, kind: str, question: str, answer: object) -> None:
        """Note a question that the story so far settles."""
        self.questions.append(Question(kind, question, str(answer)))

    @property
    def is_held_out(self) -> bool:
        """Whether the main person and one of the things of the story never meet in training documents."""
        return any(self.world.is_held_out(self._roles.get(MAIN), thing) for thing in self._things)

    def truth(self) -> dict[str, Any]:
        """The labels of the story."""
        new = {"held_out": self.is_held_out} if self.world.dials.held_out else {}
        return (
            self.labels
            | new
            | {
                "people": tuple(p.name for p in self.cast),
                "questions": tuple((q.kind, q.question, q.answer) for q in self.questions),
            }
        )
