"""Instruction tuning: show a model chats, and let it learn only what the assistant says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from torch import nn

from llmcourse.data import IGNORE, Batch
from llmcourse.decoding import generate
from llmcourse.finetune.examples import ExampleBatches, pad_left, pad_right
from llmcourse.tokenizers import ByteBPE
from llmcourse.training import evaluation_mode

Role = Literal["system", "user", "assistant", "call", "result"]
# who may speak after whom, and None for the start: a call is the assistant's, a result the program's that it called
MAY_FOLLOW: dict[Role | None, tuple[Role, ...]] = {
    None: ("system", "user"),
    "system": ("user",),
    "user": ("assistant", "call"),
    "call": ("result",),
    "result": ("assistant", "call"),
    "assistant": ("user",),
}
LEARNED: tuple[Role, ...] = ("assistant", "call")


@dataclass(frozen=True)
class ChatTemplate:
    """Which special tokens mark who speaks, and when an answer is over.

    What is said stands after a `gap`: our tokenizer writes a word in another way after a space than at the start of
    a text, and inside of the stories that it learned from nearly every word follows a space. A template without the
    markers of tools has no place for calls and their results, and one without `system` none for orders.
    Raises: ValueError for markers that cannot be told apart.
    """

    start: str = "<|end|>"  # as before every document
    user: str = "<|user|>"
    assistant: str = "<|assistant|>"
    end: str = "<|end|>"  # after every answer
    gap: str = " "
    system: str | None = None
    call: str | None = None  # after the assistant's marker, and learned: to call is the assistant's choice
    result: str | None = None

    def __post_init__(self) -> None:
        names = ("user", "assistant", "end", "system", "call", "result")
        given = {name: marker for name in names if (marker := getattr(self, name)) is not None}
        if len(set(given.values())) < len(given):
            told = ", ".join(f"{name}={marker!r}" for name, marker in given.items())
            raise ValueError(f"The markers must differ: {told}.")

    def marker(self, role: Role) -> str:
        """What stands before that role's words. Raises: ValueError where the template has no such marker."""
        marker: str | None = getattr(self, role)
        if not marker:
            raise ValueError(f"The chat template has no marker for a turn of the role {role!r}: give it {role}=….")
        return marker


@dataclass(frozen=True)
class Turn:
    """What one side says; the text of a call is a tool's name and, after a space, what it is to work on."""

    role: Role
    text: str


@dataclass(frozen=True)
class ChatExample:
    """A chat as ids, and for each id whether the model is to learn to say it."""

    ids: tuple[int, ...]
    is_target: tuple[bool, ...]


@runtime_checkable
class Instruction(Protocol):
    """A question with its story, and the true answer."""

    @property
    def text(self) -> str: ...

    @property
    def answer(self) -> str: ...


def encode_chat(turns: Sequence[Turn], tokenizer: ByteBPE, template: ChatTemplate | None = None) -> ChatExample:
    """The chat as one sequence; targets are the assistant's words and calls, and the token that ends each of them.

    Markers inside of what is said stay ordinary text, so that no user can put words into the assistant's mouth.
    Raises: ValueError for turns out of order, an unanswered user, an empty answer, or a missing marker.
    """
    template = template or ChatTemplate()
    _check_order(turns)
    if turns[-1].role != "assistant":
        raise ValueError("The last turn must be the assistant's: there is nothing to learn after any other.")
    return ChatExample(*_encode(turns, tokenizer, template))


def encode_prompt(turns: Sequence[Turn], tokenizer: ByteBPE, template: ChatTemplate | None = None) -> list[int]:
    """The chat so far, up to the marker after which the assistant speaks.

    Raises: ValueError for turns out of order, a last one that is the assistant's, or a marker that is missing.
    """
    template = template or ChatTemplate()
    _check_order(turns)
    if turns[-1].role not in ("user", "result"):
        raise ValueError("The last turn must be the user's, or a result: the assistant's answer is what comes next.")
    return [*_encode(turns, tokenizer, template)[0], marker_id(tokenizer, template.assistant)]


def _encode(
    turns: Sequence[Turn], tokenizer: ByteBPE, template: ChatTemplate
) -> tuple[tuple[int, ...], tuple[bool, ...]]:
    """The ids of the turns, and for each whether it is learned."""
    end = marker_id(tokenizer, template.end)
    pieces: list[tuple[list[int], bool]] = [([marker_id(tokenizer, template.start)], False)]
    for turn in turns:
        said = tokenizer.encode(template.gap + turn.text)
        marker = marker_id(tokenizer, template.marker(turn.role))
        match turn.role:
            case "assistant":
                pieces += [([marker], False), ([*said, end], True)]
            case "call":
                pieces += [([marker_id(tokenizer, template.assistant)], False), ([marker, *said, end], True)]
            case _:
                pieces += [([marker, *said], False)]
    ids = tuple(token for piece, _ in pieces for token in piece)
    return ids, tuple(is_target for piece, is_target in pieces for _ in piece)


def sft_batch(examples: Sequence[ChatExample]) -> Batch:
    """Chats padded on the right; a target is the next id where the model is to learn to say it.

    What counts is decided by place, never by id: the token that ends an answer may stand elsewhere too.
    """
    inputs = pad_right([example.ids[:-1] for example in examples], 0)
    targets = [
        [token if counts else IGNORE for token, counts in zip(example.ids[1:], example.is_target[1:], strict=True)]
        for example in examples
    ]
    return Batch(inputs, pad_right(targets, IGNORE))


def sft_batches(
    records: Sequence[Instruction],
    tokenizer: ByteBPE,
    batch_size: int = 8,
    seed: int = 0,
    *,
    template: ChatTemplate | None = None,
    context: int | None = None,
) -> ExampleBatches[ChatExample]:
    """Batches of one-turn chats, each record's text and its true answer.

    Raises: ValueError where a chat has more tokens to read than `context`, or a marker is missing.
    """
    examples = [encode_chat(chat_of(record.text, record.answer), tokenizer, template) for record in records]
    for index, example in enumerate(examples):
        if context is not None and len(example.ids) - 1 > context:
            raise ValueError(
                f"Chat {index} has {len(example.ids) - 1} tokens to read, more than the context of {context}: "
                "raise the context, or shorten the chat."
            )
    return ExampleBatches(examples, sft_batch, batch_size, seed)


def chat_of(text: str, answer: str) -> list[Turn]:
    """A chat of one question and its answer."""
    return [Turn("user", text), Turn("assistant", answer)]


def answer(
    model: nn.Module,
    tokenizer: ByteBPE,
    instruction: str,
    story: str = "",
    *,
    template: ChatTemplate | None = None,
    max_new_tokens: int = 32,
) -> str:
    """What the assistant says to the instruction, after reading the story if there is one; greedy."""
    text = f"{story} {instruction}" if story else instruction
    return answers(model, tokenizer, [text], template=template, max_new_tokens=max_new_tokens)[0]


def answers(
    model: nn.Module,
    tokenizer: ByteBPE,
    texts: Sequence[str],
    *,
    template: ChatTemplate | None = None,
    max_new_tokens: int = 32,
    batch_size: int = 32,
) -> list[str]:
    """What the assistant says to each text, greedy; one that does not end its answer is cut off."""
    template = template or ChatTemplate()
    prompts = [encode_prompt([Turn("user", text)], tokenizer, template) for text in texts]
    end = marker_id(tokenizer, template.end)
    said = speak(model, prompts, end, max_new_tokens=max_new_tokens, batch_size=batch_size)
    return [tokenizer.decode(tokens).removeprefix(template.gap) for tokens in said]


def speak(
    model: nn.Module, prompts: Sequence[list[int]], end: int, *, max_new_tokens: int = 32, batch_size: int = 32
) -> list[list[int]]:
    """The likeliest ids after each prompt, up to `end` and without it. Prompts of like length are read side by side."""
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
    said: dict[int, list[int]] = {}
    device = next(model.parameters()).device
    with evaluation_mode(model):
        for first in range(0, len(order), batch_size):
            rows = order[first : first + batch_size]
            ids, is_real = pad_left([prompts[i] for i in rows])
            new = generate(model, ids.to(device), max_new_tokens, is_real=is_real.to(device), eos=(end,))
            for i, tokens in zip(rows, new.tolist(), strict=True):
                said[i] = tokens[: tokens.index(end)] if end in tokens else tokens
    return [said[i] for i in range(len(prompts))]


def _check_order(turns: Sequence[Turn]) -> None:
    if not turns:
        raise ValueError("A chat needs at least one turn.")
    before: Role | None = None
    for place, turn in enumerate(turns):
        if turn.role not in MAY_FOLLOW[before]:
            expected = " or ".join(f"the {role}'s" for role in MAY_FOLLOW[before])
            raise ValueError(f"Turns must take turns: turn {place} is the {turn.role}'s, where {expected} belongs.")
        if turn.role in LEARNED and not turn.text:
            what = "call" if turn.role == "call" else "answer"
            raise ValueError(f"Turn {place} is an empty {what}, which would teach the model to say nothing.")
        before = turn.role


def marker_id(tokenizer: ByteBPE, marker: str) -> int:
    """The id of a special token. Raises: ValueError that names the token and those that there are."""
    if marker not in tokenizer.specials:
        raise ValueError(
            f"The tokenizer has no token {marker!r}, which the chat template needs; "
            f"its specials are {', '.join(tokenizer.specials) or 'none'}."
        )
    return tokenizer.special_id(marker)
