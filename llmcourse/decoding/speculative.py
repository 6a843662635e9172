"""Speculative decoding: a small model guesses ahead, and a large one checks all the guesses at one reading.

The text is distributed exactly as if the large model had written it alone.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from llmcourse.decoding.generate import draw
from llmcourse.decoding.reading import LanguageModel, Reader
from llmcourse.decoding.stopping import Ending
from llmcourse.decoding.transforms import LogitTransform

Draw = Callable[[Tensor], int]  # an index, as likely as the probabilities say


@dataclass(frozen=True)
class Round:
    """The tokens that one reading of the large model gave, and how many guesses it kept of how many."""

    ids: tuple[int, ...]
    n_drafted: int
    n_kept: int


def speculate(
    target: LanguageModel,
    draft: LanguageModel,
    prompt: Int[Tensor, " T"],
    max_new_tokens: int,
    *,
    n_drafted: int = 4,
    transform: LogitTransform | None = None,
    generator: torch.Generator | None = None,
    eos: Sequence[int] = (),
    stop: Sequence[Sequence[int]] = (),
) -> Iterator[Round]:
    """Round after round of new tokens, drawn from what `target` says and `draft` guessed: `n_drafted` at a time.

    The limits and ends are those of `stream`, and so is `transform`: without one, the tokens are the target's greedy
    ones. An encoder-decoder takes part once it is bound to its source.
    Raises: ValueError for a prompt that either model cannot read, nothing to draft, or models of two vocabularies.
    Source: Leviathan et al. 2023; Chen et al. 2023.
    """
    yield from _rounds(
        Reader(target),
        Reader(draft),
        prompt,
        max_new_tokens,
        n_drafted=n_drafted,
        transform=transform,
        ending=Ending.of(eos, stop),
        draw=lambda probs: int(draw(probs[None], generator)),
    )


def _rounds(
    target: Reader,
    draft: Reader,
    prompt: Int[Tensor, " T"],
    max_new_tokens: int,
    *,
    n_drafted: int,
    transform: LogitTransform | None,
    ending: Ending,
    draw: Draw,
) -> Iterator[Round]:
    if n_drafted < 1:
        raise ValueError(f"n_drafted must be at least 1, not {n_drafted}.")
    room = min(target.check(prompt[None], max_new_tokens), draft.check(prompt[None], max_new_tokens))
    new: list[int] = []
    while len(new) < room:
        ids = torch.cat((prompt, prompt.new_tensor(new)))
        ids, guesses = _guess(draft, ids, min(n_drafted, room - len(new) - 1), transform, draw)
        truth = _probs(target.logits(ids[None], n_last=len(guesses) + 1)[0], ids, transform)
        if guesses and len(guesses[0]) != len(truth[0]):
            raise ValueError(f"Both models need one vocabulary, not {len(truth[0])} and {len(guesses[0])} tokens.")
        tokens = check_guesses(ids[len(ids) - len(guesses) :].tolist(), guesses, truth, draw)
        kept = len(tokens) - 1
        for n, token in enumerate(tokens):
            new.append(token)
            if ending.met_by(new):
                yield Round(tuple(tokens[: n + 1]), len(guesses), min(kept, n + 1))
                return
        yield Round(tuple(tokens), len(guesses), kept)


def check_guesses(
    guessed: Sequence[int], guesses: Sequence[Float[Tensor, " V"]], truth: Float[Tensor, "N V"], draw: Draw
) -> list[int]:
    """The guessed tokens up to the first that is refused, then one more, all distributed as the truth says.

    `guesses` are the probabilities that each guess was drawn from; `truth` has a row more, for what follows them all.
    """
    for place, token in enumerate(guessed):
        keep = min(1.0, float(truth[place, token] / guesses[place][token]))
        if draw(truth.new_tensor([keep, 1 - keep])) == 1:
            return [*guessed[:place], draw(left_over(truth[place], guesses[place]))]
    return [*guessed, draw(truth[-1])]


def left_over(truth: Float[Tensor, " V"], guess: Float[Tensor, " V"]) -> Float[Tensor, " V"]:
    """What a refused guess is replaced from: the mass that the truth has and the guess has not, scaled to 1."""
    missing = (truth - guess).clamp(min=0)
    # equal distributions refuse nothing, but rounding may
    return missing / missing.sum() if missing.any() else truth


def _guess(
    draft: Reader, ids: Int[Tensor, " T"], n: int, transform: LogitTransform | None, draw: Draw
) -> tuple[Int[Tensor, " S"], list[Tensor]]:
    """The ids with `n` guesses behind them, and the probabilities that each was drawn from."""
    rows: list[Tensor] = []
    while len(rows) < n:
        rows.append(_probs(draft.logits(ids[None])[0], ids, transform)[0])
        ids = torch.cat((ids, ids.new_tensor([draw(rows[-1])])))
    return ids, rows


def _probs(
    logits: Float[Tensor, "N V"], ids: Int[Tensor, " T"], transform: LogitTransform | None
) -> Float[Tensor, "N V"]:
    """What each next token is drawn from, after each of the last ids; greedy decoding is sure of one token."""
    logits = logits.double()  # a guess is kept by the ratio of two of these
    if transform is None:
        return F.one_hot(logits.argmax(dim=-1), logits.shape[-1]).double()
    n = len(logits)
    before = [ids[: len(ids) - n + place + 1] for place in range(n)]
    return torch.cat([transform(row[None], seen[None]) for row, seen in zip(logits, before, strict=True)]).softmax(-1)
