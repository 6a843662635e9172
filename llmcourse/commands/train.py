"""Train a model from the command line: on the microworld, whose floor is known, or on real text."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmcourse.commands.errors import CommandError

if TYPE_CHECKING:  # importing them takes seconds, which `--help` need not wait for
    from llmcourse.hub import Bundle, Recipe, Score, TextScore

CHECKPOINT, METRICS, MODEL = "run.pt", "metrics.jsonl", "model"
MICROWORLD = "microworld"
# what the recipes' steps can use, and what the n-gram model beside them can count in memory
MOST_DOCUMENTS, MOST_CHARACTERS = 100_000, 4_000_000
Say = Callable[[str], None]


def train_model(
    *,
    text: Path | None = None,
    corpus: str = MICROWORLD,
    preset: str = "microworld-small",
    steps: int | None = None,
    lr: float | None = None,
    seed: int | None = None,
    out: Path = Path("runs/mine"),
    resume: bool = False,
    progress: bool = True,
    say: Say = print,
) -> Path:
    """Trains by the preset's recipe, with what is given here in its place, and gives back the model's folder.

    The model reads `text`, or else the corpus of that name: by its training split, scored on its validation split.
    Ctrl-C leaves a run that `resume` takes up.
    Raises: ValueError for an unknown preset or corpus, a bad text or checkpoint; ConnectionError where the corpus
    cannot be fetched; CommandError where `out` is taken or stopped, or both a text and a corpus are given.
    """
    from llmcourse.hub import make, make_from_text, recipe, save_bundle

    plan = change(recipe(preset), steps=steps, lr=lr, seed=seed)
    checkpoint = _check_out(out, resume)
    content = _read(text, corpus, progress)
    options: dict[str, Any] = {"checkpoint_path": checkpoint, "metrics_path": out / METRICS, "progress": progress}
    options["resume_from"] = checkpoint if resume else None
    given = {"text": text, "corpus": None if corpus == MICROWORLD else corpus, "steps": steps, "lr": lr, "seed": seed}
    command = f"llmcourse train --preset {preset}" + _flags(**given)
    subject = "the microworld" if content is None else text or corpus
    say(f"Training on {subject} for {plan.training.steps} steps.")
    bundle: Bundle
    result: Score | TextScore
    try:
        if content is None:
            bundle, result = make(plan, command=command, **options)
        else:
            bundle, result = make_from_text(plan, *content, command=command, **options)
    except KeyboardInterrupt:
        raise CommandError(_after_stop(checkpoint)) from None
    folder = save_bundle(out / MODEL, bundle.model, bundle.tokenizer, bundle.manifest)
    say(in_words(result))
    say(f"The model is in {folder}. It writes:\n\n{sample(bundle)}\n")
    return folder


def _read(text: Path | None, corpus: str, progress: bool) -> tuple[str, str | None] | None:
    """What to learn and, beside a corpus, what to be scored on; None for the microworld, which is made as it goes."""
    from llmcourse.data import corpora, read_text

    if text is not None and corpus != MICROWORLD:
        raise CommandError(f"Give --text or --corpus, not both: --text {text} --corpus {corpus}.")
    if text is not None:
        return read_text(text), None
    if corpus == MICROWORLD:
        return None
    splits = [corpora.load(corpus, split, MOST_DOCUMENTS, progress=progress).texts for split in ("train", "valid")]
    learned, held_out = ("\n\n".join(texts) for texts in splits)
    return learned[:MOST_CHARACTERS], held_out[: MOST_CHARACTERS // 10]


def _after_stop(checkpoint: Path) -> str:
    if not checkpoint.exists():
        return "Stopped. Nothing is kept."
    return f"Stopped. The same command with --resume goes on from {checkpoint}."


def make_models(names: tuple[str, ...] = (), say: Say = print, progress: bool = True) -> list[Path]:
    """Makes the models that come with the course again, puts them in their place and gives back their folders."""
    from llmcourse.finetune.assistant import ASSISTANTS
    from llmcourse.hub import RECIPES, make, recipe, save_bundle
    from llmcourse.hub.bundle import BUNDLED

    folders = []
    for name in names or (*RECIPES, *ASSISTANTS):  # an assistant stands on a model that is made before it
        if name in ASSISTANTS:
            folders.append(_make_assistant(name, BUNDLED / name, say, progress))
            continue
        say(f"Training {name} for {recipe(name).training.steps} steps.")
        bundle, result = make(recipe(name), command="llmcourse models", progress=progress)
        folders.append(save_bundle(BUNDLED / name, bundle.model, bundle.tokenizer, bundle.manifest))
        say(in_words(result))
        say(f"The model is in {folders[-1]}.")
    return folders


def _make_assistant(name: str, folder: Path, say: Say, progress: bool) -> Path:
    from llmcourse.finetune.assistant import ASSISTANTS, make_assistant
    from llmcourse.hub import bundled, save_bundle
    from llmcourse.model import fused_attend

    plan = ASSISTANTS[name]
    say(f"Tuning {plan.base} to {name} for {plan.training.steps} steps.")
    base = bundled(plan.base, attend=fused_attend)
    bundle, results = make_assistant(plan, base, command=f"llmcourse models {name}", progress=progress)
    save_bundle(folder, bundle.model, bundle.tokenizer, bundle.manifest)
    marks = ", ".join(f"{group} {result.n_right} of {result.n}" for group, result in results.items())
    say(f"Right answers: {marks}.\nThe model is in {folder}.")
    return folder


def change(plan: "Recipe", *, steps: int | None, lr: float | None, seed: int | None) -> "Recipe":
    """The recipe with other numbers in it; a short run warms up for at most a quarter of its steps."""
    training: dict[str, Any] = {"lr": lr, "seed": seed, "steps": steps}
    if steps is not None:
        training["warmup"] = min(plan.training.warmup, steps // 4)
    given = {name: value for name, value in training.items() if value is not None}
    return dataclasses.replace(plan, training=dataclasses.replace(plan.training, **given))


def in_words(result: "Score | TextScore") -> str:
    """A score as a sentence or two."""
    from llmcourse.hub import TextScore

    if isinstance(result, TextScore):
        return (
            f"On the {result.model.n_bytes:,} bytes held out: {result.model.bits_per_byte:.3f} bits per byte; "
            f"a 5-gram model that counted the rest needs {result.ngram_bits_per_byte:.3f}."
        )
    return (
        f"On {len(result.floor_nats):,} fresh documents: {result.model.nats_per_document:.2f} nats per document, "
        f"{result.gap / result.floor:.1%} above the floor of {result.floor:.2f}. "
        f"A 5-gram model needs {result.ngram_nats:.2f}: {result.closed:.1%} of the way from there is done."
    )


def sample(bundle: "Bundle") -> str:
    """A text that the model writes from nothing."""
    from llmcourse.hub import write_on

    return "".join(write_on(bundle, seed=1))


def _check_out(out: Path, resume: bool) -> Path:
    checkpoint = out / CHECKPOINT
    if out.exists() and not out.is_dir():
        raise CommandError(f"{out} is a file; --out names a folder.")
    if checkpoint.exists() and not resume:
        raise CommandError(
            f"{checkpoint} is there from an earlier run: add --resume to go on, or choose another --out."
        )
    if resume and not checkpoint.exists():
        raise CommandError(f"There is no {checkpoint} to go on from; leave out --resume to start a new run.")
    return checkpoint


def _flags(**given: object) -> str:
    """What was given, as it is typed. A text goes by its name alone: where it lies is nobody's business."""
    shown = {name: value.name if isinstance(value, Path) else value for name, value in given.items()}
    return "".join(f" --{name} {value}" for name, value in shown.items() if value is not None)
