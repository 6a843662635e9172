"""Train a model from the command line: on the microworld, whose floor is known, or on real text."""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmcourse.commands import train_options as given
from llmcourse.commands.errors import CommandError
from llmcourse.commands.generate import MODEL as PRESET

if TYPE_CHECKING:  # importing them takes seconds, which `--help` need not wait for
    from llmcourse.hub import Bundle, Recipe, Score, TextScore
    from llmcourse.training import Team

CHECKPOINT, METRICS, MODEL, PICTURE = "run.pt", "metrics.jsonl", "model", "loss.png"
MICROWORLD = "microworld"
# what the recipes' steps can use, and what the n-gram model beside them can count in memory
MOST_DOCUMENTS, MOST_CHARACTERS = 100_000, 4_000_000
QUICK_STEPS, QUICK_DOCUMENTS, QUICK_TEST = 600, 6_000, 300
Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What a run of `llmcourse train` was told; None leaves the recipe's own."""

    text: Path | None = None
    corpus: str = MICROWORLD
    preset: str = PRESET
    quick: bool = False
    out: Path = Path("runs/mine")
    resume: bool = False
    steps: int | None = None
    lr: float | None = None
    seed: int | None = None
    optimizer: str | None = None
    schedule: str | None = None
    accumulate: int | None = None
    precision: str | None = None
    compile: bool = False
    device: str = "cpu"
    sharded: bool = False

    @property
    def subject(self) -> str:
        """What is learned."""
        return str(self.text or ("the microworld" if self.corpus == MICROWORLD else self.corpus))

    def recipe(self) -> "Recipe":
        """The preset with these choices in it. Raises: ValueError for one that it cannot take."""
        from llmcourse.hub import recipe

        names = ("steps", "lr", "seed", "optimizer", "schedule", "accumulate", "precision")
        changes = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        plan = shortened(recipe(self.preset)) if self.quick else recipe(self.preset)
        return change(plan, **changes, **({"compile": True} if self.compile else {}))

    def command(self) -> str:
        """The command line again. A text goes by its name alone: where it lies is nobody's business."""
        left_out = {"preset", "out", "resume", "device", "sharded"}
        words = [f"llmcourse train --preset {self.preset}"]
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.name not in left_out and value != field.default:
                value = value.name if isinstance(value, Path) else value
                words.append(f"--{field.name}" if value is True else f"--{field.name} {value}")
        return " ".join(words)


def train(
    text: given.Text = None,
    corpus: given.Corpus = MICROWORLD,
    preset: given.Preset = PRESET,
    quick: given.Quick = False,
    out: given.Out = Path("runs/mine"),
    resume: given.Resume = False,
    steps: given.Steps = None,
    lr: given.LearningRate = None,
    seed: given.Seed = None,
    optimizer: given.Optimizer = None,
    schedule: given.Schedule = None,
    accumulate: given.Accumulate = None,
    precision: given.Precision = None,
    compile: given.Compile = False,
    device: given.Device = "cpu",
    sharded: given.Sharded = False,
) -> None:
    """Train a model on the microworld, whose floor is known, on another corpus, or on your own text."""
    train_model(Choices(**locals()))


def train_model(choices: Choices, *, progress: bool = True, say: Say = print) -> Path:
    """Trains as it was told, and gives back the model's folder. Ctrl-C leaves a run that `resume` takes up.

    Started by `torchrun`, the processes share the work, and the first one speaks and writes.
    Raises: ValueError for an unknown preset, corpus or device, a bad text or checkpoint, a loss that is no number or
    a process that is lost; ConnectionError where the corpus cannot be fetched; CommandError where `out` is taken or
    stopped, or both a text and a corpus are given.
    """
    from llmcourse.training import team_from_environment

    with team_from_environment(choices.sharded) as team:
        if team.is_first:
            return _train(choices, team, progress, say)
        return _train(choices, team, progress=False, say=lambda words: None)


def _train(choices: Choices, team: "Team", progress: bool, say: Say) -> Path:
    from llmcourse.hub import make, make_from_text, save_bundle
    from llmcourse.training import choose_device

    plan = choices.recipe()
    device = choose_device(choices.device)
    checkpoint = _check_out(choices.out, choices.resume)
    content = _read(choices.text, choices.corpus, progress)
    options: dict[str, Any] = {
        "checkpoint_path": checkpoint,
        "metrics_path": choices.out / METRICS,
        "resume_from": checkpoint if choices.resume else None,
        "progress": progress,
        "device": device,
        "team": team,
    }
    say(f"Training on {choices.subject} for {plan.training.steps} steps.")
    bundle: Bundle
    result: Score | TextScore
    try:
        if content is None:
            bundle, result = make(plan, command=choices.command(), **options)
        else:
            bundle, result = make_from_text(plan, *content, command=choices.command(), **options)
    except KeyboardInterrupt:
        raise CommandError(_after_stop(checkpoint)) from None
    bundle = _gathered(bundle, team, levels(result))
    folder = choices.out / MODEL
    if team.is_first:
        save_bundle(folder, bundle.model, bundle.tokenizer, bundle.manifest)
        say(in_words(result))
        say(f"The losses are drawn in {picture(choices.out)}.")
        say(f"The model is in {folder}. It writes:\n\n{sample(bundle)}\n")
    return folder


def _gathered(bundle: "Bundle", team: "Team", lines: dict[str, float]) -> "Bundle":
    """The model on the processor and in one piece, and `lines` noted in its manifest."""
    from llmcourse.model import Transformer, fused_attend
    from llmcourse.training import whole

    model = bundle.model
    if team.sharded:
        weights = whole(model.state_dict())
        model = Transformer(bundle.model.config, attend=fused_attend).eval()
        model.load_state_dict(weights)
    return dataclasses.replace(bundle, model=model.cpu(), manifest={**bundle.manifest, "nats_per_token": lines})


def levels(result: "Score | TextScore") -> dict[str, float]:
    """What a loss can be compared with, in nats per token of the held-out text: the floor where it is known."""
    from llmcourse.hub import TextScore

    per_token = 1 / result.model.n_tokens
    if isinstance(result, TextScore):
        assert result.model.n_bytes is not None
        return {"5-gram model": result.ngram_bits_per_byte * math.log(2) * result.model.n_bytes * per_token}
    n_documents = len(result.floor_nats)
    return {
        "floor": math.fsum(result.floor_nats) * per_token,
        "5-gram model": result.ngram_nats * n_documents * per_token,
    }


def picture(out: Path) -> Path:
    """Draws the losses of the run in a folder, and gives back the picture's path."""
    from llmcourse.commands.plot import draw

    return draw([out], out / PICTURE)


def shortened(plan: "Recipe") -> "Recipe":
    """The recipe for whoever wants to see a first model now: it reads less, and takes fewer steps."""
    fewer = {"n_documents": QUICK_DOCUMENTS, "n_tokenizer_documents": QUICK_DOCUMENTS // 6, "n_test": QUICK_TEST}
    kept = {name: min(n, getattr(plan, name)) for name, n in fewer.items()}
    return change(dataclasses.replace(plan, **kept), steps=min(QUICK_STEPS, plan.training.steps))


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


def change(plan: "Recipe", **training: Any) -> "Recipe":
    """The recipe with other settings of its training; a short run warms up for at most a quarter of its steps."""
    if "steps" in training:
        training["warmup"] = min(plan.training.warmup, training["steps"] // 4)
    return dataclasses.replace(plan, training=dataclasses.replace(plan.training, **training))


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
