"""One token after another: choose, append, ask again."""

from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from llmcourse.decoding.reading import LanguageModel, Reader, bind
from llmcourse.decoding.stopping import Ending
from llmcourse.decoding.transforms import PADDING, LogitTransform

Chance = torch.Generator | Sequence[torch.Generator] | None


def choose(
    logits: Float[Tensor, "B V"],
    ids: Int[Tensor, "B T"],
    transform: LogitTransform | None = None,
    generator: Chance = None,
) -> Int[Tensor, " B"]:
    """The likeliest token of each row; with a transform, one drawn from the transformed distribution."""
    if transform is None:
        return logits.argmax(dim=-1)
    probs = transform(logits, ids).softmax(dim=-1)
    return draw(probs, generator)


def draw(probs: Float[Tensor, "B V"], generator: Chance = None) -> Int[Tensor, " B"]:
    """An index of each row, as likely as the row says; with a generator per row, each row has its own luck.

    Raises: ValueError where nothing is left to draw from, or for another number of generators than rows.
    """
    if probs.isnan().any():
        raise ValueError("No token is left to draw: the transforms together removed all of them.")
    if generator is None or isinstance(generator, torch.Generator):
        return torch.multinomial(probs, num_samples=1, generator=generator)[:, 0]
    if len(generator) != len(probs):
        raise ValueError(f"Each row needs a generator: there are {len(probs)} rows and {len(generator)} generators.")
    return torch.cat([torch.multinomial(row, 1, generator=own) for row, own in zip(probs, generator, strict=True)])


def stream(
    model: LanguageModel,
    prompts: Int[Tensor, "B T"],
    max_new_tokens: int,
    *,
    transform: LogitTransform | None = None,
    generator: Chance = None,
    eos: Sequence[int] = (),
    stop: Sequence[Sequence[int]] = (),
    is_real: Bool[Tensor, "B T"] | None = None,
    use_cache: bool = True,
    source: Int[Tensor, "B M"] | None = None,
    source_is_real: Bool[Tensor, "B M"] | None = None,
) -> Iterator[Int[Tensor, " B"]]:
    """One new token per row at a time, until every row has ended or a limit is reached.

    A row ends with any of the tokens `eos`, or once its new tokens end with any of the runs `stop`; beside rows that
    go on it is filled up with `eos[0]`, or the last token of `stop[0]`. Prompts of unequal length are padded on the
    left, where `is_real` is False. An encoder-decoder reads `source` once, and its prompts are what the target begins
    with. Limits: `max_new_tokens`, and the model's context.
    Raises: ValueError for an empty prompt, one that leaves no room in the context, or a source where none belongs.
    """
    reader = Reader(bind(model, source, source_is_real), use_cache)
    room = reader.check(prompts, max_new_tokens)
    ending = Ending.of(eos, stop)
    ids = prompts
    ended = torch.zeros(len(ids), dtype=torch.bool, device=ids.device)
    for _ in range(room):
        logits = reader.logits(ids, is_real)[:, -1]
        seen = ids if is_real is None else ids.masked_fill(~is_real, PADDING)
        token = choose(logits, seen, transform, generator)
        if ending.exists:
            token = torch.where(ended, ending.filler, token)
        ids = torch.cat((ids, token[:, None]), dim=-1)
        yield token
        if ending.exists:
            ended = ended | ending.met(ids[:, prompts.shape[1] :])
            if ended.all():
                return
        if is_real is not None:
            is_real = torch.cat((is_real, torch.ones_like(is_real[:, :1])), dim=-1)


def generate(
    model: LanguageModel,
    prompts: Int[Tensor, "B T"],
    max_new_tokens: int,
    *,
    transform: LogitTransform | None = None,
    generator: Chance = None,
    eos: Sequence[int] = (),
    stop: Sequence[Sequence[int]] = (),
    is_real: Bool[Tensor, "B T"] | None = None,
    use_cache: bool = True,
    source: Int[Tensor, "B M"] | None = None,
    source_is_real: Bool[Tensor, "B M"] | None = None,
) -> Int[Tensor, "B N"]:
    """The new tokens only, as `stream` gives them: greedy without a transform, sampled with one."""
    tokens = stream(
        model,
        prompts,
        max_new_tokens,
        transform=transform,
        generator=generator,
        eos=eos,
        stop=stop,
        is_real=is_real,
        use_cache=use_cache,
        source=source,
        source_is_real=source_is_real,
    )
    return torch.stack(list(tokens), dim=-1)
