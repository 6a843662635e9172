"""The command line: `llmcourse book`, `llmcourse test` and the rest. Every make target is one of these."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from llmcourse.commands.convert import convert
from llmcourse.commands.errors import CommandError, RunFailed, exit_code, one_line
from llmcourse.commands.evaluate import evaluate
from llmcourse.commands.generate import MODEL, generate
from llmcourse.commands.places import course_root
from llmcourse.commands.plot import plot
from llmcourse.commands.train import train

# Commands import what they need when they run, so that `llmcourse --help` is quick and works without torch.


class OneLineErrors(TyperGroup):
    """A group of commands that answers a user's mistake with one line, and ours with a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the chosen command; exit code 2 after a user's mistake, 1 after a failed build or test."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            line = one_line(error)
            if line is None or ctx.params.get("debug"):
                raise
            typer.echo(line if "\n" in line else f"llmcourse: {line}", err=True)
            raise typer.Exit(exit_code(error)) from None


app = typer.Typer(
    cls=OneLineErrors,
    name="llmcourse",
    help="A course on large language models: build the book, open the notebooks, run the tests, train a model.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
READ, BUILD, TRAIN = "Read and work", "Build and check", "Train and write"
GRADE = "Grade a class"
PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of every error.")] = False,
) -> None:
    """Hold the options that come before the command's name."""


@app.command(rich_help_panel=READ)
def book(
    workers: Annotated[int, typer.Option(min=1, help="Chapters that run at the same time.")] = 2,
) -> None:
    """Build the book into _build/html; only chapters that changed run again."""
    from llmcourse.book.build import BookError, build_book

    try:
        build_book(course_root(), workers=workers)
    except BookError as error:
        raise RunFailed(str(error)) from error


@app.command(rich_help_panel=READ)
def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any free port.")] = 8000,
) -> None:
    """Show the built book at http://127.0.0.1:8000, to this machine only."""
    from llmcourse.commands.serve import serve_book

    serve_book(course_root(), port)


@app.command(rich_help_panel=READ, context_settings=PASS_ON)
def lab(ctx: typer.Context) -> None:
    """Open JupyterLab with the chapters as notebooks, and the exercises. Further options go to JupyterLab."""
    from llmcourse.commands.lab import open_lab

    open_lab(course_root(), ctx.args)


@app.command(rich_help_panel=READ)
def notebooks() -> None:
    """Write the chapters as Jupyter notebooks beside their sources (git ignores them)."""
    from llmcourse.book.notebooks import write_notebooks

    for path in write_notebooks(course_root()):
        typer.echo(path)


@app.command(rich_help_panel=BUILD, context_settings=PASS_ON)
def test(ctx: typer.Context) -> None:
    """Run every test; or, with arguments, pytest with them: llmcourse test tests/model -k cache."""
    from llmcourse.commands.test import run_tests

    run_tests(course_root(), ctx.args)


@app.command(rich_help_panel=BUILD)
def check(
    fix: Annotated[bool, typer.Option("--fix", help="Let ruff mend what it can first.")] = False,
) -> None:
    """Read the code with ruff, mypy, import-linter and codespell."""
    from llmcourse.commands.check import run_checks

    run_checks(course_root(), fix)


@app.command(rich_help_panel=BUILD)
def parity(
    checkpoint: Annotated[str, typer.Argument(help="A GPT-2, by its name on the model hub.")] = "gpt2",
    out: Annotated[Path, typer.Option(help="Where to write what both said.")] = Path("_build/parity.json"),
) -> None:
    """Hold a released checkpoint here to the transformers library (needs the network once)."""
    from llmcourse.commands.parity import run_parity

    run_parity(course_root(), checkpoint, out)


@app.command(rich_help_panel=BUILD)
def bench(
    names: Annotated[list[str] | None, typer.Argument(help="Which ones; all where none is named.")] = None,
) -> None:
    """Time the package beside the libraries that do the same work, in turn, as ratios."""
    from llmcourse.commands.bench import run_benchmarks

    run_benchmarks(course_root(), names or ())


@app.command(rich_help_panel=BUILD)
def exercises() -> None:
    """Write exercises/ from solutions/: what students get, without answers and hidden tests."""
    from llmcourse.grading.release import generate

    for path in generate(course_root()):
        typer.echo(path)


@app.command(rich_help_panel=GRADE)
def grade(
    assignment: Annotated[str, typer.Argument(help="Such as 06-attention.")] = "",
    jobs: Annotated[int, typer.Option(min=1, help="Submissions that run at the same time, on this machine.")] = 2,
    scheduler: Annotated[str | None, typer.Option(help="A dask scheduler, tls://…, in place of --jobs.")] = None,
    tls_ca: Annotated[Path | None, typer.Option(help="The scheduler's certificate authority, a .pem file.")] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="The certificate to show to the scheduler.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its key.")] = None,
    doctor: Annotated[bool, typer.Option("--doctor", help="Say which sandbox this machine gives, and why.")] = False,
    no_sandbox: Annotated[
        bool, typer.Option("--no-sandbox", help="Run students' code without any: it can do all that you can.")
    ] = False,
) -> None:
    """Grade what was collected for an assignment; a run that was stopped goes on where it was."""
    from llmcourse.commands.grade import grade_class, show_sandbox

    if doctor:
        show_sandbox()
    elif not assignment:
        raise CommandError("Name an assignment: llmcourse grade 06-attention.")
    else:
        tls = (tls_ca, tls_cert, tls_key)
        grade_class(Path.cwd(), assignment, n_jobs=jobs, scheduler=scheduler, tls=tls, sandbox=not no_sandbox)


@app.command(rich_help_panel=GRADE)
def report(
    assignment: Annotated[str, typer.Argument(help="Such as 06-attention.")],
    out: Annotated[Path | None, typer.Option(help="Where; else ASSIGNMENT-report.html.")] = None,
) -> None:
    """Write one page about an assignment: scores, mistakes, and what to look at by hand."""
    from llmcourse.commands.report import write_report

    write_report(Path.cwd(), assignment, out)


class Platform(StrEnum):
    """Where grades go."""

    canvas = "canvas"
    moodle = "moodle"
    csv = "csv"


@app.command(rich_help_panel=GRADE)
def export(
    assignment: Annotated[str, typer.Argument(help="Such as 06-attention.")],
    to: Annotated[Platform, typer.Option(help="Whose file to fill; csv for a table of its own.")] = Platform.csv,
    file: Annotated[Path | None, typer.Option(help="The gradebook or worksheet that you downloaded.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where to write it; else beside the file.")] = None,
    column: Annotated[str | None, typer.Option(help="The assignment's title in Canvas, where it differs.")] = None,
) -> None:
    """Fill the gradebook file of a learning platform, and say who is missing on either side."""
    from llmcourse.commands.export import export_grades

    export_grades(Path.cwd(), assignment, to.value, file=file, out=out, column=column)


@app.command(name="grade-demo", rich_help_panel=BUILD)
def grade_demo(
    folder: Annotated[
        Path | None, typer.Option(help="Where; an earlier run there is cleared. Else _build/grade-demo.")
    ] = None,
) -> None:
    """Grade a made-up class, from release to export, with the commands that an instructor uses."""
    from llmcourse.grading.demo import UnexpectedScores, run

    root = course_root()

    try:
        run(root, folder or root / "_build" / "grade-demo")
    except UnexpectedScores as error:
        raise RunFailed(str(error)) from error


app.command(
    rich_help_panel=TRAIN,
    epilog="For example: llmcourse train --quick; llmcourse train --text mine.txt --out runs/mine; "
    "torchrun --nproc-per-node=2 -m llmcourse.cli train shares the work between two processes.",
)(train)
app.command(rich_help_panel=TRAIN)(evaluate)
app.command(rich_help_panel=TRAIN)(convert)
app.command(rich_help_panel=TRAIN)(plot)
app.command(rich_help_panel=TRAIN)(generate)


@app.command(
    rich_help_panel=TRAIN,
    epilog='For example: llmcourse tokenize "the cat sat" --tokenizer gpt2; '
    "llmcourse tokenize --train book.txt --kind unigram --vocab-size 2000 --out mine/tokenizer.json",
)
def tokenize(
    text: Annotated[str | None, typer.Argument(help="The text to cut into tokens.")] = None,
    file: Annotated[Path | None, typer.Option(help="A text file to cut, in place of TEXT.")] = None,
    tokenizer: Annotated[
        str,
        typer.Option(
            help="A model of the course; a tokenizer.json, vocab.txt, .vocab or .tiktoken file or a folder with one; "
            "or a published encoding, such as gpt2 or o200k_base (fetched once)."
        ),
    ] = MODEL,
    ids: Annotated[bool, typer.Option("--ids", help="Show the ids only, on one line.")] = False,
    for_model: Annotated[
        bool, typer.Option("--for-model", help="Add the special tokens that the family puts around a text.")
    ] = False,
    decode: Annotated[str | None, typer.Option(help="Ids to turn back into text: --decode '17 4 256'.")] = None,
    train: Annotated[Path | None, typer.Option(help="A text file to learn a new tokenizer from.")] = None,
    kind: Annotated[str, typer.Option(help="What to learn: bpe, wordpiece or unigram.")] = "bpe",
    vocab_size: Annotated[int, typer.Option(min=1, help="How many tokens to learn at most.")] = 1000,
    out: Annotated[Path, typer.Option(help="Where to write what was learned.")] = Path("tokenizer.json"),
) -> None:
    """Show how a text is cut into tokens; turn ids back into text; or learn a tokenizer from your own text."""
    from llmcourse.commands.tokenize import decode_ids, tokenize_text, train_tokenizer

    if train is not None:
        train_tokenizer(train, kind=kind, vocab_size=vocab_size, out=out)
    elif decode is not None:
        decode_ids(decode, tokenizer)
    else:
        tokenize_text(text, file=file, tokenizer=tokenizer, for_model=for_model, only_ids=ids)


@app.command(rich_help_panel=TRAIN)
def models(
    names: Annotated[list[str] | None, typer.Argument(help="Which ones; all where none is named.")] = None,
) -> None:
    """Train the models that come with the course again, in place of the shipped ones."""
    from llmcourse.commands.train import make_models

    make_models(tuple(names or ()))


@app.command(rich_help_panel=BUILD)
def lock() -> None:
    """Choose exact versions again and write requirements.lock (needs uv and the network)."""
    from llmcourse.commands.lock import write_lock

    typer.echo(write_lock(course_root()))


def main() -> None:
    """Run the command line; the entry point of `python -m llmcourse.cli`."""
    app()


if __name__ == "__main__":
    main()
