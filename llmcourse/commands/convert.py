"""Turn a model of the course into files that other programs read, and back."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument

from llmcourse.commands.errors import CommandError

if TYPE_CHECKING:
    from llmcourse.tokenizers import ByteBPE, Tokenizer


def convert(
    source: Annotated[
        str, Argument(help="A model of the course, a folder that `train` made, or a Hugging Face folder or name.")
    ],
    out: Annotated[Path, Argument(help="The folder to write; it must be new or empty.")],
) -> None:
    """Turn a model of the course into a Hugging Face folder that the transformers library opens, or such a folder
    into a model that `generate` opens (with weights in 16 bits)."""
    print(convert_model(source, out))


def convert_model(source: str, out: Path) -> str:
    """Writes the other kind of folder, and says what it holds.

    Raises: CommandError where `out` is taken; ValueError where no family's files can express the model, its tokenizer
    is of another kind than ours, or a file is missing or damaged.
    """
    from llmcourse import hub
    from llmcourse.commands.generate import find_model
    from llmcourse.hub.families import family_for

    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise CommandError(f"{out} is there already; name a new folder.")
    if is_bundle(source):
        bundle = find_model(source)
        family = family_for(bundle.model.config).model_type
        hub.save(bundle.model, bundle.tokenizer, out)
        return f"{out} holds {source} as a {family} model; transformers opens it with from_pretrained({str(out)!r})."
    model, tokenizer = hub.load(source), hub.load_tokenizer(source)
    hub.save_bundle(out, model, _ours(tokenizer, source), {"converted_from": Path(source).name})
    return f"{out} holds {source} as a model of the course. Try: llmcourse generate --model {out}"


def is_bundle(source: str) -> bool:
    """Whether this names a model of the course or a folder that `train` made."""
    from llmcourse.hub.bundle import BUNDLED

    folder = Path(source)
    if (folder / "model" / "manifest.json").is_file() or (folder / "manifest.json").is_file():
        return True
    return not folder.exists() and folder.name == source and (BUNDLED / source).is_dir()


def _ours(tokenizer: "ByteBPE | Tokenizer", source: str) -> "ByteBPE":
    """The same tokenizer in our own format. Raises: ValueError where its ids are not numbered as ours are."""
    from llmcourse.tokenizers import BPE, CL100K_PATTERN, GPT2_PATTERN, O200K_PATTERN, ByteBPE, from_byte_bpe

    if isinstance(tokenizer, ByteBPE):
        return tokenizer
    if isinstance(tokenizer.model, BPE):
        specials = sorted(tokenizer.specials, key=lambda name: tokenizer.specials[name])
        numbers = tokenizer.model.vocabulary
        pairs = [(numbers[left], numbers[right]) for left, right in tokenizer.model.merges]
        for pattern in (GPT2_PATTERN, CL100K_PATTERN, O200K_PATTERN):
            try:
                candidate = ByteBPE(pairs, specials, pattern)
                again = from_byte_bpe(candidate)
            except ValueError:  # a merge of later ids, or two ids that are spelled alike
                break
            if again.vocabulary == tokenizer.vocabulary and again.splitter == tokenizer.splitter:
                return candidate
    raise ValueError(
        f"The course's own folders hold tokenizers that number the bytes first, then the merges; {source} has another. "
        "llmcourse evaluate reads it as it is."
    )
