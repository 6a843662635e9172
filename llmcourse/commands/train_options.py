"""What `llmcourse train` may be told, each with the words that `--help` shows."""

from pathlib import Path
from typing import Annotated

from typer import Option

RECIPE, MACHINE = "In place of the recipe's own", "Machine"
CORPORA = (
    "What to learn: microworld (the default), stdlib-code or stdlib-docs, which need no network; or, fetched once, "
    "tiny-shakespeare, tinystories, tinystories-sample, fineweb-edu-sample, wikitext-2, sst-2 or dolly-15k."
)

Text = Annotated[Path | None, Option(help="A text file to learn, in place of a corpus.")]
Corpus = Annotated[str, Option(help=CORPORA, show_default=False)]
Preset = Annotated[str, Option(help="The recipe: sizes, optimiser, steps.")]
Quick = Annotated[
    bool, Option("--quick", help="A first model in two minutes or so: fewer documents and steps of the same recipe.")
]
Out = Annotated[Path, Option(help="Folder for the checkpoint, the losses, their picture and the model.")]
Resume = Annotated[bool, Option("--resume", help="Go on with the run in --out.")]

Steps = Annotated[int | None, Option(min=1, help="Updates of the weights.", rich_help_panel=RECIPE)]
LearningRate = Annotated[float | None, Option("--lr", help="The highest learning rate.", rich_help_panel=RECIPE)]
Seed = Annotated[
    int | None, Option(help="The same seed starts from the same weights and order.", rich_help_panel=RECIPE)
]
Optimizer = Annotated[str | None, Option(help="adamw or muon.", rich_help_panel=RECIPE)]
Schedule = Annotated[
    str | None,
    Option(
        help="How the learning rate falls: cosine, linear, trapezoid or constant (not at all).", rich_help_panel=RECIPE
    ),
]
Accumulate = Annotated[int | None, Option(min=1, help="Batches that make one update together.", rich_help_panel=RECIPE)]

Device = Annotated[str, Option(help="cpu, cuda (an NVIDIA GPU) or mps (an Apple one).", rich_help_panel=MACHINE)]
Precision = Annotated[
    str | None,
    Option(help="float32, or bf16 for products in 16 bits: faster on a new GPU.", rich_help_panel=MACHINE),
]
Compile = Annotated[
    bool,
    Option(
        "--compile",
        help="Compile the model first: a minute's wait, then faster steps on a GPU.",
        rich_help_panel=MACHINE,
    ),
]
Sharded = Annotated[
    bool,
    Option(
        "--sharded",
        help="Under torchrun: each process keeps a part of the weights only (FSDP).",
        rich_help_panel=MACHINE,
    ),
]
