"""A trained model at work on text: give it a beginning, get the rest."""

from collections.abc import Iterator

import torch

from llmcourse.decoding import stream, temperature
from llmcourse.decoding.transforms import LogitTransform
from llmcourse.hub.bundle import Bundle

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
    tokenizer = bundle.tokenizer
    end = tokenizer.special_id(END)
    ids = torch.tensor([[end, *tokenizer.encode(prompt)]])
    generator = torch.Generator().manual_seed(seed)
    unfinished: list[int] = []
    tokens = stream(
        bundle.model, ids, max_new_tokens, transform=transform or temperature(1.0), generator=generator, eos=(end,)
    )
    for token in tokens:
        if int(token[0]) == end:
            break
        unfinished.append(int(token[0]))
        text = tokenizer.decode(unfinished)
        if not text.endswith("\ufffd"):  # a character may be cut between two tokens
            yield text
            unfinished = []
    if unfinished:
        yield tokenizer.decode(unfinished)
