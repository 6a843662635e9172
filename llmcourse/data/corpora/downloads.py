"""Files from public places, fetched once: kept in a folder, and held to the checksum that they had at first."""

import json
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from llmcourse.data.corpora.transfer import Transfer, TransferError
from llmcourse.data.files import atomic_path

CHECKSUMS = "checksums.json"
FOLDER_VARIABLE = "LLMCOURSE_CACHE"
OFFLINE = "The corpora microworld, stdlib-code and stdlib-docs need no network."


@dataclass(frozen=True)
class Source:
    """A file of a corpus: where it is, what it is called here, and its SHA-256 if that is known beforehand.

    `max_bytes` asks for the beginning only.
    """

    url: str
    file: str
    sha256: str | None = None
    max_bytes: int | None = None


def cache_folder(cache: str | Path | None = None) -> Path:
    """Where corpora are kept: `cache`, or the variable LLMCOURSE_CACHE, or this system's folder for such things."""
    if cache is not None:
        return Path(cache)
    import pooch

    return Path(os.environ.get(FOLDER_VARIABLE) or pooch.os_cache("llmcourse"))


def fetch(corpus: str, sources: Sequence[Source], cache: Path, progress: bool = True, tries: int = 4) -> list[Path]:
    """The corpus's files on this machine; those that are missing or damaged are fetched.

    Raises: ConnectionError where that is not possible, ValueError where a file is not what it was.
    """
    from tqdm import tqdm

    several = len(sources) > 1
    bar = tqdm(sources, unit="file", desc=corpus, disable=not (progress and several))
    return [_fetch_one(corpus, source, cache, progress and not several, tries) for source in bar]


def _fetch_one(corpus: str, source: Source, cache: Path, progress: bool, tries: int) -> Path:
    import pooch

    folder, key = cache / corpus, f"{corpus}/{source.file}"
    recorded = read_checksums(cache).get(key)
    known = source.sha256 or recorded
    transfer = Transfer(folder / f"{source.file}.part", source.max_bytes, progress, tries)
    try:
        with _quiet(pooch.get_logger()):
            path = Path(pooch.retrieve(source.url, known, fname=source.file, path=folder, downloader=transfer))
    except TransferError as error:
        raise ConnectionError(_offline_line(corpus, source, folder, error)) from None
    except OSError as error:
        raise ValueError(f"{corpus} cannot be kept in {folder}: {error.strerror or error}.") from None
    except ValueError:  # pooch's word for a file with another checksum, which it does not keep
        raise ValueError(_mismatch_line(source, cache / CHECKSUMS, known, key)) from None
    if known is None:
        _record(cache, key, pooch.file_hash(str(path)))
    return path


def read_checksums(cache: Path) -> dict[str, str]:
    """The SHA-256 of every file that came without a known one, as it was when it first came."""
    path = cache / CHECKSUMS
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError):
        raise ValueError(f"{path} is no record of checksums any more. Delete it to trust the next downloads.") from None


def _record(cache: Path, key: str, checksum: str) -> None:
    checksums = read_checksums(cache) | {key: checksum}
    with atomic_path(cache / CHECKSUMS) as scratch:
        scratch.write_text(json.dumps(checksums, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _offline_line(corpus: str, source: Source, folder: Path, error: TransferError) -> str:
    host = urlsplit(source.url).hostname
    return (
        f"{corpus} needs the network once, and {source.file} did not come from {host}: {error}. "
        f"Try again where there is a network; the file is then kept in {folder}. {OFFLINE}"
    )


def _mismatch_line(source: Source, record: Path, known: str | None, key: str) -> str:
    if source.sha256 is not None:
        return (
            f"{source.url} did not send the file that this course knows: its SHA-256 is not {known}. "
            "It was not kept. Try again; if the line stays, the file has changed there."
        )
    return (
        f"{source.url} no longer sends the file that it sent at first: its SHA-256 is not {known}. It was not kept. "
        f"To trust the new one, delete the entry {key!r} from {record} and load again."
    )


@contextmanager
def _quiet(logger: logging.Logger) -> Iterator[None]:
    """No lines on the screen from pooch, which tells of every download and checksum."""
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)
