"""Let a trained model write on from a prompt."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmcourse.commands import generate_options as given
from llmcourse.commands.errors import CommandError

if TYPE_CHECKING:  # importing them takes seconds, which `--help` need not wait for
    from llmcourse.decoding import LogitTransform
    from llmcourse.hub import Bundle

MODEL = "microworld-small"


def generate(
    prompt: given.Prompt = "",
    model: given.Model = MODEL,
    max_new_tokens: given.MaxNewTokens = 200,
    temperature: given.Temperature = 1.0,
    top_k: given.TopK = None,
    top_p: given.TopP = None,
    min_p: given.MinP = None,
    stop: given.Stop = None,
    seed: given.Seed = 0,
    repetition_penalty: given.RepetitionPenalty = None,
    presence_penalty: given.PresencePenalty = None,
    frequency_penalty: given.FrequencyPenalty = None,
    no_repeat_ngram: given.NoRepeatNgram = None,
    beams: given.Beams = None,
    n_best: given.NBest = 1,
    length_penalty: given.LengthPenalty = 0.0,
    early_stopping: given.EarlyStopping = False,
    draft: given.Draft = None,
    int8: given.Int8 = False,
) -> None:
    """Let a trained model write on from a prompt."""
    transform = chosen(
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        min_p=min_p,
        repetition_penalty=repetition_penalty,
        presence_penalty=presence_penalty,
        frequency_penalty=frequency_penalty,
        no_repeat_ngram=no_repeat_ngram,
    )
    options = {"n_best": n_best, "length_penalty": length_penalty, "early_stopping": early_stopping}
    _check_together(beams, options, draft, stop or ())
    bundle = find_model(model, int8)
    if beams is None:
        _show(_written(bundle, prompt, max_new_tokens, transform, seed, stop or (), draft))
    else:
        _show(_found(bundle, prompt, max_new_tokens, transform, beams, options))


def find_model(model: str, int8: bool = False) -> "Bundle":
    """The model in a folder, or else the one of that name that comes with the course.

    Raises: CommandError where a folder holds no model; ValueError that lists the names, or for a damaged model.
    """
    from llmcourse.hub import bundled, load_bundle
    from llmcourse.inference import quantize

    folder = Path(model)
    # `llmcourse train --out runs/mine` leaves the model in runs/mine/model
    here = next((place for place in (folder, folder / "model") if (place / "manifest.json").is_file()), None)
    if here is None and folder.is_dir():
        raise CommandError(f"{folder} holds no model. Train one with: llmcourse train --out {folder}")
    bundle = bundled(model) if here is None else load_bundle(here)
    return dataclasses.replace(bundle, model=quantize(bundle.model)) if int8 else bundle


def chosen(
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    min_p: float | None = None,
    repetition_penalty: float | None = None,
    presence_penalty: float | None = None,
    frequency_penalty: float | None = None,
    no_repeat_ngram: int | None = None,
) -> "LogitTransform":
    """The transforms that were asked for, as one: first what looks at the text, then the temperature, then filters."""
    from llmcourse import decoding

    asked: list[tuple[Callable[..., LogitTransform], float | None]] = [
        (decoding.repetition_penalty, repetition_penalty),
        (decoding.presence_penalty, presence_penalty),
        (decoding.frequency_penalty, frequency_penalty),
        (decoding.no_repeat_ngram, no_repeat_ngram),
        (decoding.temperature, temperature),
        (decoding.top_k, top_k),
        (decoding.top_p, top_p),
        (decoding.min_p, min_p),
    ]
    return decoding.compose(*(make(value) for make, value in asked if value is not None))


def _check_together(beams: int | None, options: dict[str, Any], draft: str | None, stop: Sequence[str]) -> None:
    if beams is None and options != {"n_best": 1, "length_penalty": 0.0, "early_stopping": False}:
        raise CommandError("--n-best, --length-penalty and --early-stopping belong to beam search: give --beams too.")
    if beams is not None and (draft is not None or stop):
        raise CommandError("Beam search takes neither --draft nor --stop.")


def _written(
    bundle: "Bundle",
    prompt: str,
    max_new_tokens: int,
    transform: "LogitTransform",
    seed: int,
    stop: Sequence[str],
    draft: str | None,
) -> Iterator[str]:
    """The prompt, and pieces of text drawn by the model alone, or guessed by a draft and checked by the model."""
    from llmcourse.decoding import until
    from llmcourse.hub import write_on

    if draft is None:
        pieces = write_on(bundle, prompt, max_new_tokens, transform=transform, seed=seed)
    else:
        pieces = _guessed(bundle, find_model(draft), prompt, max_new_tokens, transform, seed)
    yield prompt
    yield from until(pieces, stop)


def _guessed(
    bundle: "Bundle", draft: "Bundle", prompt: str, max_new_tokens: int, transform: "LogitTransform", seed: int
) -> Iterator[str]:
    import torch

    from llmcourse.decoding import speculate
    from llmcourse.hub.write import END, opening, pieces_of

    if draft.tokenizer.pairs != bundle.tokenizer.pairs or draft.tokenizer.specials != bundle.tokenizer.specials:
        raise CommandError("A draft needs the tokenizer of the model: train both from one recipe.")
    luck = torch.Generator().manual_seed(seed)
    eos = (bundle.tokenizer.special_id(END),)
    ids = opening(bundle, prompt)
    rounds = speculate(bundle.model, draft.model, ids, max_new_tokens, transform=transform, generator=luck, eos=eos)
    return pieces_of((token for each in rounds for token in each.ids), bundle.tokenizer)


def _found(
    bundle: "Bundle",
    prompt: str,
    max_new_tokens: int,
    transform: "LogitTransform",
    beams: int,
    options: dict[str, Any],
) -> Iterator[str]:
    """The best texts that a search finds, a line between them; several of them with their log-probabilities."""
    from llmcourse.decoding import beam_search
    from llmcourse.hub.write import END, opening, pieces_of

    eos = (bundle.tokenizer.special_id(END),)
    ids = opening(bundle, prompt)
    found = beam_search(bundle.model, ids, max_new_tokens, beams, eos=eos, transform=transform, **options)
    for place, hypothesis in enumerate(found):
        score = f"[{hypothesis.log_prob:.2f} nats] " if options["n_best"] > 1 else ""
        yield ("\n" if place else "") + score + prompt + "".join(pieces_of(hypothesis.ids, bundle.tokenizer))


def _show(pieces: Iterator[str]) -> None:
    for piece in pieces:
        print(piece, end="", flush=True)
    print()
