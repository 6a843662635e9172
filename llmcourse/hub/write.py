"""A trained model at work on text: give it a beginning, get the rest."""

from collections.abc import Iterable, Iterator

import torch
from jaxtyping import Int
from torch import Tensor

from llmcourse.decoding import stream, temperature
from llmcourse.decoding.transforms import LogitTransform
from llmcourse.hub.bundle import Bundle
from llmcourse.tokenizers import ByteBPE

END = "<|end|>"


def write_on(
    bundle: Bundle,
    prompt: str = "",
    max_new_tokens: int = 300,
    *,
    transform: LogitTransform | None = None,
    seed: int = 0,
) -> Iterator[str]:
    """Pieces of text that follow the prompt, as the model draws them, until its document ends.

    Without `transform` it draws from its own distribution. Pieces hold whole characters only.
    """
    tokens = stream(
        bundle.model,
        opening(bundle, prompt)[None],
        max_new_tokens,
        transform=transform or temperature(1.0),
        generator=torch.Generator().manual_seed(seed),
        eos=(bundle.tokenizer.special_id(END),),
    )
    return pieces_of((int(token[0]) for token in tokens), bundle.tokenizer)


def opening(bundle: Bundle, prompt: str = "") -> Int[Tensor, " T"]:
    """The ids of a document that begins with the prompt."""
    return torch.tensor([bundle.tokenizer.special_id(END), *bundle.tokenizer.encode(prompt)])


def pieces_of(ids: Iterable[int], tokenizer: ByteBPE) -> Iterator[str]:
    """The text of ids as they come, in whole characters, until the document ends."""
    end = tokenizer.special_id(END)
    unfinished: list[int] = []
    for token in ids:
        if token == end:
            break
        unfinished.append(token)
        text = tokenizer.decode(unfinished)
        if not text.endswith("\ufffd"):  # a character may be cut between two tokens
            yield text
            unfinished = []
    if unfinished:
        yield tokenizer.decode(unfinished)
