"""Load and save models as the world publishes them: a folder of config.json, safetensors and tokenizer files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from llmcourse.hub.bundle import BUNDLED, REMEDY, load_bundle
from llmcourse.hub.download import HOST, find_folder
from llmcourse.hub.files import CONFIG, MANIFEST, read_json
from llmcourse.hub.folder import MAX_SHARD_BYTES, load_folder, save_folder
from llmcourse.hub.tokenizer import load_tokenizer_file, save_tokenizer_files
from llmcourse.model import Transformer
from llmcourse.model.attention import Attend
from llmcourse.tokenizers import ByteBPE
from llmcourse.tokenizers.pipeline import Tokenizer


@runtime_checkable
class Convertible(Protocol):
    """What is no Transformer but can be had as one, such as a classifier that was made of one."""

    def to_transformer(self) -> Transformer: ...


def load(
    directory_or_name: str | Path,
    *,
    attend: Attend | None = None,
    architecture: str | None = None,
    cache: str | Path | None = None,
    host: str = HOST,
) -> Transformer:
    """The model in a folder, or the published checkpoint of that name, in evaluation mode and ready to be called.

    The folders that `llmcourse train` writes and the models that come with the course count too.
    `architecture` reads it as another class of its family, such as a language model where the config says only
    BartModel. A named checkpoint is fetched once and kept in `cache`; the revision that it had then stands beside it
    in source.json, and is used ever after.
    Raises: ValueError that names the file, field or tensor at fault; ConnectionError where it has to be fetched and
    does not come.
    """
    folder = _shipped(directory_or_name) or find_folder(directory_or_name, ["weights"], cache, host)
    if (folder / MANIFEST).is_file() and "model_type" not in read_json(folder / CONFIG, REMEDY):
        return load_bundle(folder, attend).model
    return load_folder(folder, attend, architecture)


def load_tokenizer(
    directory_or_name: str | Path, *, cache: str | Path | None = None, host: str = HOST
) -> ByteBPE | Tokenizer:
    """The tokenizer that belongs to the model in a folder, or to the published checkpoint of that name.

    Raises: as `load`.
    """
    folder = _shipped(directory_or_name) or find_folder(directory_or_name, ["tokenizer"], cache, host)
    return load_tokenizer_file(folder)


def save(
    model: Transformer | Convertible,
    tokenizer: ByteBPE | Tokenizer | None,
    directory: str | Path,
    *,
    labels: Sequence[str] = (),
    max_shard_bytes: int = MAX_SHARD_BYTES,
) -> Path:
    """Writes a folder that `load` and the transformers library open, and gives it back.

    The family is the first whose files can express the model. `labels` are the names of a classifier's labels.
    Raises: ValueError that says why no family can, or what does not fit together; then nothing is written.
    """
    folder = Path(directory)
    if not isinstance(model, Transformer):
        model = model.to_transformer()
    config = model.config
    save_folder(
        model,
        folder,
        labels=labels,
        write_extra=lambda: {} if tokenizer is None else save_tokenizer_files(tokenizer, config, folder),
        max_shard_bytes=max_shard_bytes,
    )
    return folder


def _shipped(name: str | Path) -> Path | None:
    """The folder of a model that comes with the course, where that is its name and no folder here has it."""
    folder = BUNDLED / Path(name).name
    return folder if str(name) == folder.name and folder.is_dir() and not Path(name).exists() else None
