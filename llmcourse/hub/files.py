"""The files of a model's folder, read with one clear complaint and written whole or not at all."""

import json
from pathlib import Path
from typing import Any

from llmcourse.data import atomic_path

CONFIG, WEIGHTS, TOKENIZER, MANIFEST = "config.json", "model.safetensors", "tokenizer.json", "manifest.json"


def write(path: Path, content: str | bytes) -> None:
    """Writes the whole file in place of what was there, or nothing."""
    with atomic_path(path) as scratch:
        scratch.write_bytes(content.encode() if isinstance(content, str) else content)


def write_json(path: Path, content: dict[str, Any]) -> None:
    write(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def read(path: Path, remedy: str) -> bytes:
    """The bytes of a file. Raises: ValueError that names the file, the reason and the remedy."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}. {remedy}") from None


def read_json(path: Path, remedy: str) -> dict[str, Any]:
    """The JSON object in a file. Raises: ValueError that names the file and the remedy."""
    try:
        content = json.loads(read(path, remedy))
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise ValueError(f"{path} is damaged: it holds no JSON object. {remedy}")
    return content
