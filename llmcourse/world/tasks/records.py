"""The records that tasks are made of: plain, frozen, and true in their world."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class MoodRecord:
    """A story and how its main person takes it; the text never says the label."""

    text: str
    label: str


@dataclass(frozen=True)
class InstructionRecord:
    """An instruction and its true, short answer; `text` is the instruction with its story first, if it has one."""

    instruction: str
    answer: str
    text: str
    kind: str = ""


@dataclass(frozen=True)
class Span:
    """The characters from `start` up to `end` of a text, and the kind of thing that they name."""

    start: int
    end: int
    kind: str

    def of(self, text: str) -> str:
        """The span's own words."""
        return text[self.start : self.end]


@dataclass(frozen=True)
class EntityRecord:
    """A story and its entities, from left to right and never overlapping."""

    text: str
    spans: tuple[Span, ...]

    def tags(self) -> list[tuple[str, str]]:
        """Each word of the text with its tag: `B-` and the kind opens an entity, `I-` goes on with it, `O` is none.

        Words are parted by single spaces, so that a word carries the punctuation that touches it.
        """
        found, start = [], 0
        for word in self.text.split(" "):
            inside = [s for s in self.spans if s.start < start + len(word) and start < s.end]
            opens = inside and inside[0].start >= start
            found.append((word, f"{'B' if opens else 'I'}-{inside[0].kind}" if inside else "O"))
            start += len(word) + 1
        return found


@dataclass(frozen=True)
class QuestionRecord:
    """A story, a question about it and the answer; one that the story does not settle has `is_answerable` False."""

    context: str
    question: str
    answer: str
    kind: str
    is_answerable: bool


@dataclass(frozen=True)
class ChatTurn:
    """What one side says."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True)
class ChatRecord:
    """A chat in which the user opens and the assistant has the last word; `context` is the story it is about, if any.

    A story stands at the head of the first turn.
    """

    turns: tuple[ChatTurn, ...]
    context: str


@dataclass(frozen=True)
class PreferenceRecord:
    """A prompt with a true answer and one that is false; `reason` says what is wrong with the rejected one."""

    prompt: str
    chosen: str
    rejected: str
    reason: str


@dataclass(frozen=True)
class SummaryRecord:
    """A story and two sentences that are true of it; `plot` names the kind of story."""

    document: str
    summary: str
    plot: str


@dataclass(frozen=True)
class ParaphraseRecord:
    """Two tellings; `is_same` where they differ in nothing but wording, else `changed` names the fact that differs."""

    first: str
    second: str
    is_same: bool
    changed: str = ""


@dataclass(frozen=True)
class TranslationRecord:
    """A sentence in English, and in the language of the world."""

    english: str
    translation: str


@dataclass(frozen=True)
class ArithmeticRecord:
    """A question about quantities, the steps that solve it, such as "14 - 5 = 9", and the number that they lead to."""

    question: str
    steps: tuple[str, ...]
    answer: int
    kind: str

    @property
    def solution(self) -> str:
        """The steps and the answer as one text."""
        return " ".join(f"{step}." for step in self.steps) + f" Answer: {self.answer}"


@dataclass(frozen=True)
class RecipeRecord:
    """A recipe in lines of code, and what is in the pot after its last line, as text: "4 eggs, 1 plum" or "nothing"."""

    recipe: str
    answer: str
