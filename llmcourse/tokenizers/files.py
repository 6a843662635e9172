"""A tokenizer on disk is one JSON file: its merges as pairs of ids, its specials and its pattern."""

import json
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from llmcourse.tokenizers.pairs import N_BYTES, Pair

FORMAT = "llmcourse-byte-bpe-1"


def to_dict(pairs: Iterable[Pair], specials: list[str], pattern: str, vocab_size: int) -> dict[str, Any]:
    """What the file holds."""
    return {
        "format": FORMAT,
        "vocab_size": vocab_size,
        "pattern": pattern,
        "specials": specials,
        "merges": [list(pair) for pair in pairs],
    }


def write_json(path: str | Path, content: dict[str, Any]) -> None:
    """Write the content as JSON, all or nothing."""
    write_text(path, json.dumps(content, ensure_ascii=False))


def write_text(path: str | Path, content: str) -> None:
    """Write the content beside the target, then move it into place: a crash leaves the old file whole."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=target.name, suffix=".tmp", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(0o644)  # mkstemp gives a file that only its owner may read
        temporary.replace(target)
    except BaseException:
        temporary.unlink()
        raise


def read_text(path: str | Path) -> str:
    """The text in the file, with Unix line ends. Raises: ValueError naming the file and what is wrong with it."""
    try:
        return Path(path).read_bytes().decode("utf-8").replace("\r\n", "\n")
    except FileNotFoundError as error:
        raise ValueError(f"There is no tokenizer file at {path}.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no text in UTF-8 ({error}).") from error


def read_json(path: str | Path) -> dict[str, Any]:
    """The JSON object in the file. Raises: ValueError naming the file and what is wrong with it."""
    try:
        content = json.loads(Path(path).read_bytes().decode("utf-8"))
    except FileNotFoundError as error:
        raise ValueError(f"There is no tokenizer file at {path}.") from error
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"{path} is no whole JSON file ({error}): save the tokenizer again.") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} is not a tokenizer of this package: it holds a {type(content).__name__}, no object.")
    return content


def read_fields(path: str | Path) -> tuple[list[Pair], list[str], str]:
    """The merges, specials and pattern in the file. Raises: ValueError naming the file and what is wrong with it."""
    content = read_json(path)
    if content.get("format") != FORMAT:
        raise ValueError(
            f"{path} is not a tokenizer of this package: its format is {content.get('format')!r}, not {FORMAT!r}."
        )
    merges, specials, pattern = content.get("merges"), content.get("specials"), content.get("pattern")
    if not (isinstance(merges, list) and all(map(_is_pair, merges))):
        raise ValueError(f"{path} is damaged: `merges` must be a list of pairs of ids.")
    if not (isinstance(specials, list) and all(isinstance(special, str) for special in specials)):
        raise ValueError(f"{path} is damaged: `specials` must be a list of strings.")
    if not isinstance(pattern, str):
        raise ValueError(f"{path} is damaged: `pattern` must be a string.")
    n_ids = N_BYTES + len(merges) + len(specials)
    if content.get("vocab_size") != n_ids:
        raise ValueError(
            f"{path} is damaged: vocab_size is {content.get('vocab_size')!r}, but 256 bytes, {len(merges)} merges "
            f"and {len(specials)} specials make {n_ids}."
        )
    return [(left, right) for left, right in merges], specials, pattern


def _is_pair(value: object) -> bool:
    # bool is a kind of int, but true is no id
    return isinstance(value, list) and len(value) == 2 and all(type(part) is int for part in value)
