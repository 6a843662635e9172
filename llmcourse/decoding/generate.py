"""One token after another: choose, append, ask again."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from llmcourse.decoding.transforms import LogitTransform
from llmcourse.model import Transformer

NextLogits = Callable[..., Tensor]


def choose(
    logits: Float[Tensor, "B V"],
    ids: Int[Tensor, "B T"],
    transform: LogitTransform | None = None,
    generator: torch.Generator | None = None,
) -> Int[Tensor, " B"]:
    """The likeliest token of each row; with a transform, one drawn from the transformed distribution."""
    if transform is None:
        return logits.argmax(dim=-1)
    probs = transform(logits, ids).softmax(dim=-1)
    return torch.multinomial(probs, num_samples=1, generator=generator)[:, 0]


def reader(model: Transformer, source: Tensor | None = None, source_is_real: Tensor | None = None) -> NextLogits:
    """A function from ids to the logits of the token after them; a source is encoded once, now.

    Raises: ValueError for a source where none belongs, or none where the model needs one.
    """
    if model.config.has_cross_attention != (source is not None):
        raise ValueError("An encoder-decoder needs a source to write from, and no other model takes one.")
    if source is None:
        return lambda ids, **options: model(ids, **options)[:, -1]
    memory = model.encode(source, is_real=source_is_real)

    def next_logits(ids: Tensor, **options: Any) -> Tensor:
        rows = len(ids)  # all of them may read one source
        may_read = None if source_is_real is None else source_is_real.expand(rows, -1)
        vectors = model.decode(ids, memory=memory.expand(rows, -1, -1), memory_is_real=may_read, **options)
        return model.read_off(vectors)[:, -1]

    return next_logits


@torch.no_grad()
def stream(
    model: Transformer,
    prompts: Int[Tensor, "B T"],
    max_new_tokens: int,
    *,
    transform: LogitTransform | None = None,
    generator: torch.Generator | None = None,
    eos: Sequence[int] = (),
    is_real: Bool[Tensor, "B T"] | None = None,
    use_cache: bool = True,
    source: Int[Tensor, "B M"] | None = None,
    source_is_real: Bool[Tensor, "B M"] | None = None,
) -> Iterator[Int[Tensor, " B"]]:
    """One new token per row at a time, until every row has met an `eos` or a limit is reached.

    A row that has ended goes on with its `eos[0]`. Prompts of unequal length are padded on the left, where `is_real`
    is False. An encoder-decoder reads `source` once, and its prompts are what the target begins with. Limits:
    `max_new_tokens`, and the model's context.
    Raises: ValueError for an empty prompt, one that leaves no room in the context, or a source where none belongs.
    """
    _check_prompts(model, prompts, max_new_tokens)
    next_logits = reader(model, source, source_is_real)
    cache = model.new_cache() if use_cache else None
    ids, unread = prompts, prompts
    ended = torch.zeros(len(ids), dtype=torch.bool, device=ids.device)
    room = max_new_tokens if model.config.context is None else model.config.context - ids.shape[1] + 1
    for _ in range(min(max_new_tokens, room)):
        logits = next_logits(unread, cache=cache, is_real=is_real)
        token = choose(logits, ids, transform, generator)
        if eos:
            token = torch.where(ended, eos[0], token)
            ended = ended | torch.isin(token, torch.tensor(list(eos), device=ids.device))
        yield token
        if eos and ended.all():
            return
        ids = torch.cat((ids, token[:, None]), dim=-1)
        unread = token[:, None] if use_cache else ids
        if is_real is not None:
            is_real = torch.cat((is_real, torch.ones_like(is_real[:, :1])), dim=-1)


def generate(
    model: Transformer,
    prompts: Int[Tensor, "B T"],
    max_new_tokens: int,
    *,
    transform: LogitTransform | None = None,
    generator: torch.Generator | None = None,
    eos: Sequence[int] = (),
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
        is_real=is_real,
        use_cache=use_cache,
        source=source,
        source_is_real=source_is_real,
    )
    return torch.stack(list(tokens), dim=-1)


def _check_prompts(model: Transformer, prompts: Tensor, max_new_tokens: int) -> None:
    if prompts.numel() == 0:
        raise ValueError("The prompt is empty; begin with at least one token, such as the end-of-document token.")
    if max_new_tokens < 1:
        raise ValueError(f"max_new_tokens must be at least 1, not {max_new_tokens}.")
    context = model.config.context
    if context is not None and prompts.shape[1] > context:
        raise ValueError(f"A prompt of {prompts.shape[1]} tokens does not fit the context of {context}; shorten it.")
    if int(prompts.max()) >= model.config.vocab_size or int(prompts.min()) < 0:
        raise ValueError(
            f"The prompt holds ids from {int(prompts.min())} to {int(prompts.max())}; "
            f"the model knows 0 to {model.config.vocab_size - 1}. Was it encoded with another tokenizer?"
        )
