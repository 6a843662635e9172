"""What a model family puts around a text: special tokens at its ends, and numbers that tell two texts apart."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

FIRST, SECOND = "$A", "$B"


@dataclass(frozen=True)
class Slot:
    """One place of a template: a special token, or one of the two texts; with the segment number of its ids."""

    name: str
    segment: int = 0

    @property
    def is_text(self) -> bool:
        """Whether a text goes here, not a special token."""
        return self.name in (FIRST, SECOND)


@dataclass(frozen=True)
class Encoded:
    """Ids that a model may read, and beside each the number of the segment that it belongs to."""

    ids: list[int]
    segment_ids: list[int]


@dataclass(frozen=True)
class Template:
    """The places of one text, and of a pair of texts."""

    single: tuple[Slot, ...] = (Slot(FIRST),)
    pair: tuple[Slot, ...] = (Slot(FIRST), Slot(SECOND, 1))

    def __post_init__(self) -> None:
        """Refuse a template that loses a text, or takes one twice."""
        for slots, wanted in ((self.single, [FIRST]), (self.pair, [FIRST, SECOND])):
            if sorted(slot.name for slot in slots if slot.is_text) != wanted:
                raise ValueError(f"A template holds each of {wanted} once, got {[slot.name for slot in slots]}.")

    @classmethod
    def parse(cls, single: str, pair: str) -> "Template":
        """A template written in words: `[CLS] $A [SEP]` and `[CLS] $A [SEP] $B:1 [SEP]:1`, with segments after colons.

        Raises: ValueError when a text is missing.
        """
        return cls(_slots(single), _slots(pair))

    @property
    def specials(self) -> list[str]:
        """The special tokens of the template, each once."""
        return list(dict.fromkeys(slot.name for slot in (*self.single, *self.pair) if not slot.is_text))

    def fill(
        self, special_id: Callable[[str], int], first: Sequence[int], second: Sequence[int] | None = None
    ) -> Encoded:
        """The ids of one text or two, in their places."""
        texts = {FIRST: first, SECOND: second or ()}
        ids: list[int] = []
        segments: list[int] = []
        for slot in self.single if second is None else self.pair:
            here = texts[slot.name] if slot.is_text else [special_id(slot.name)]
            ids.extend(here)
            segments.extend([slot.segment] * len(here))
        return Encoded(ids, segments)


def _slots(words: str) -> tuple[Slot, ...]:
    slots = []
    for word in words.split():
        name, colon, segment = word.rpartition(":")
        slots.append(Slot(name, int(segment)) if colon and name and segment.isdecimal() else Slot(word))
    return tuple(slots)


# What each family's released tokenizer puts around a text; the names of the tokens are part of the family's vocabulary.
TEMPLATES = {
    "gpt2": Template(),
    "bert": Template.parse("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1"),
    "t5": Template.parse("$A </s>", "$A </s> $B </s>"),
    "bart": Template.parse("<s> $A </s>", "<s> $A </s> </s> $B </s>"),
    "llama": Template.parse("<s> $A", "<s> $A <s>:1 $B:1"),
}
