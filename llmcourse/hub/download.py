"""Named checkpoints: fetched once from the model hub, at a revision that is written down then."""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from llmcourse.data.corpora.downloads import cache_folder
from llmcourse.data.corpora.transfer import Transfer, TransferError
from llmcourse.hub.files import CONFIG, TOKENIZER, WEIGHTS, read_json, write_json
from llmcourse.hub.weights import INDEX, shard_names

HOST = "https://huggingface.co"
RECORD = "source.json"
TOKENIZER_CONFIG = "tokenizer_config.json"
REMEDY = "Delete the folder to fetch the checkpoint again."
NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)?")


def find_folder(directory_or_name: str | Path, parts: Sequence[str], cache: str | Path | None, host: str) -> Path:
    """The folder of that path, or else the one in which the checkpoint of that name is kept, fetched if need be.

    `parts` are of "weights" and "tokenizer". Raises: ValueError for what is neither a folder nor a name;
    ConnectionError where something has to be fetched and does not come.
    """
    if Path(directory_or_name).is_dir():
        return Path(directory_or_name)
    name = str(directory_or_name)
    if not NAME.fullmatch(name):
        raise ValueError(f"There is no folder {name}, and a checkpoint's name looks like gpt2 or owner/name.")
    checkpoint = Checkpoint(name, cache_folder(cache) / "models" / name.replace("/", "--"), host)
    checkpoint.fetch(CONFIG)
    if "weights" in parts:
        checkpoint.fetch_weights()
    if "tokenizer" in parts:
        for file in (TOKENIZER, TOKENIZER_CONFIG):
            if file in checkpoint.record["files"]:
                checkpoint.fetch(file)
    return checkpoint.folder


class Checkpoint:
    """The files of one published checkpoint, all of the revision that was current when it was first asked for."""

    def __init__(self, name: str, folder: Path, host: str) -> None:
        self.name, self.folder, self.host = name, folder, host
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / RECORD).is_file():
            self._write_record()
        self.record: dict[str, Any] = read_json(folder / RECORD, REMEDY)

    def fetch(self, file: str) -> None:
        """Brings a file that is not there yet, and records its SHA-256. Raises: ConnectionError, ValueError."""
        files = self.record["files"]
        if file not in files:
            raise ValueError(f"The checkpoint {self.name} has no file {file}; it has {', '.join(sorted(files))}.")
        if not (self.folder / file).is_file():
            self._transfer(f"{self.name}/resolve/{self.record['revision']}/{file}", file)
            with (self.folder / file).open("rb") as stream:
                files[file] = hashlib.file_digest(stream, "sha256").hexdigest()
            write_json(self.folder / RECORD, self.record)

    def fetch_weights(self) -> None:
        """Brings the file of weights, or the index and each file that it names."""
        if WEIGHTS in self.record["files"] or INDEX not in self.record["files"]:
            self.fetch(WEIGHTS)
            return
        self.fetch(INDEX)
        for file in shard_names(self.folder / INDEX):
            self.fetch(file)

    def _write_record(self) -> None:
        self._transfer(f"api/models/{self.name}/revision/main", "info.json")
        info = read_json(self.folder / "info.json", REMEDY)
        revision, siblings = info.get("sha"), info.get("siblings")
        if not isinstance(revision, str) or not isinstance(siblings, list):
            raise ValueError(f"{self.host} said nothing about {self.name} that names its revision and files.")
        files: dict[str, str | None] = {str(entry.get("rfilename")): None for entry in siblings}
        write_json(self.folder / RECORD, {"name": self.name, "host": self.host, "revision": revision, "files": files})

    def _transfer(self, path: str, file: str) -> None:
        transfer = Transfer(self.folder / f"{file}.part", progress=file.endswith(".safetensors"))
        try:
            transfer(f"{self.host}/{path}", self.folder / file)
        except TransferError as error:
            raise ConnectionError(
                f"There is no folder {self.name}; the checkpoint of that name needs the network once, and {file} did "
                f"not come from {urlsplit(self.host).hostname}: {error}. What came stays in {self.folder}."
            ) from None
