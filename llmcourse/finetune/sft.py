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

Role = Literal["user", "assistant"]
ROLES: tuple[Role, Role] = ("user", "assistant")


@dataclass(frozen=True)
class ChatTemplate:
    """Which special tokens mark who speaks, and when an answer is over.

    What is said stands after a `gap`: our tokenizer writes a word in another way after a space than at the start of
    a text, and inside of the stories that it learned from nearly every word follows a space.
    """

    start: str = "<|end|>"  # as before every document
    user: str = "<|user|>"
    assistant: str = "<|assistant|>"
    end: str = "<|end|>"  # after every answer
    gap: str = " "

    def __post_init__(self) -> None:
        if len({self.user, self.assistant, self.end}) < 3:
            raise ValueError(
                f"The markers must differ: user={self.user!r}, assistant={self.assistant!r}, end={self.end!r}."
            )


@dataclass(frozen=True)
class Turn:
    """What one side says."""

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
    """The chat as one sequence; targets are the assistant's words and the token that ends each answer.

    Markers inside of what is said stay ordinary text, so that no user can put words into the assistant's mouth.
    Raises: ValueError for turns out of order, an unanswered user, an empty answer, or a missing marker.
    """
    template = template or ChatTemplate()
    _check_order(turns)
    if turns[-1].role != "assistant":
        raise ValueError("The last turn must be the assistant's: there is nothing to learn after the user's.")
    marker = _marker_ids(tokenizer, template)
    pieces: list[tuple[list[int], bool]] = [([marker[template.start]], False)]
    for turn in turns:
        said = tokenizer.encode(template.gap + turn.text)
        if turn.role == "user":
            pieces += [([marker[template.user]], False), (said, False)]
        else:
            pieces += [([marker[template.assistant]], False), ([*said, marker[template.end]], True)]
    ids = tuple(token for piece, _ in pieces for token in piece)
    return ChatExample(ids, tuple(is_target for piece, is_target in pieces for _ in piece))


def encode_prompt(turns: Sequence[Turn], tokenizer: ByteBPE, template: ChatTemplate | None = None) -> list[int]:
    """The chat so far, up to the marker after which the assistant speaks.

    Raises: ValueError unless the turns alternate and the user has the last one, or for a marker that is missing.
    """
    template = template or ChatTemplate()
    _check_order(turns)
    if turns[-1].role != "user":
        raise ValueError("The last turn must be the user's: the assistant's answer is what comes next.")
    unanswered = encode_chat([*turns, Turn("assistant", "?")], tokenizer, template)
    n_answer = len(tokenizer.encode(template.gap + "?")) + 1  # with its end
    return list(unanswered.ids[:-n_answer])


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
    """What the assistant says to each text, greedy; one that does not end its answer is cut off.

    Texts of like length are read side by side.
    """
    template = template or ChatTemplate()
    prompts = [encode_prompt([Turn("user", text)], tokenizer, template) for text in texts]
    end = tokenizer.special_id(template.end)
    order = sorted(range(len(texts)), key=lambda i: len(prompts[i]))
    said: dict[int, str] = {}
    with evaluation_mode(model):
        for first in range(0, len(order), batch_size):
            rows = order[first : first + batch_size]
            ids, is_real = pad_left([prompts[i] for i in rows])
            device = next(model.parameters()).device
            new = generate(model, ids.to(device), max_new_tokens, is_real=is_real.to(device), eos=(end,))
            for i, tokens in zip(rows, new.tolist(), strict=True):
                said[i] = _spoken(tokens, end, tokenizer, template)
    return [said[i] for i in range(len(texts))]


def _spoken(tokens: list[int], end: int, tokenizer: ByteBPE, template: ChatTemplate) -> str:
    spoken = tokens[: tokens.index(end)] if end in tokens else tokens
    return tokenizer.decode(spoken).removeprefix(template.gap)


def _check_order(turns: Sequence[Turn]) -> None:
    if not turns:
        raise ValueError("A chat needs at least one turn.")
    for place, turn in enumerate(turns):
        expected = ROLES[place % 2]
        if turn.role != expected:
            raise ValueError(f"The user speaks first, then both take turns: turn {place} is the {turn.role}'s.")
        if turn.role == "assistant" and not turn.text:
            raise ValueError(f"Turn {place} is an empty answer, which would teach the model to say nothing.")


def _marker_ids(tokenizer: ByteBPE, template: ChatTemplate) -> dict[str, int]:
    markers = (template.start, template.user, template.assistant, template.end)
    for marker in markers:
        if marker not in tokenizer.specials:
            raise ValueError(
                f"The tokenizer has no token {marker!r}, which the chat template needs; "
                f"its specials are {', '.join(tokenizer.specials) or 'none'}."
            )
    return {marker: tokenizer.special_id(marker) for marker in markers}
