"""One file over the network: a transfer that breaks goes on where it stopped, if the file is still the same."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHUNK = 1 << 16  # bytes
TIMEOUT = 30  # seconds without a byte
TRIES = 4
PASSING = {408, 429, 500, 502, 503, 504}  # answers of a server that may do better in a moment


class TransferError(Exception):
    """Why a file did not come, as the end of a sentence; `passing` where another try may help."""

    def __init__(self, reason: str, passing: bool = False) -> None:
        super().__init__(reason)
        self.passing = passing


@dataclass(frozen=True)
class Transfer:
    """Fetches a file, or its first `max_bytes`, by way of a `.part` file beside `part`; pooch calls it.

    What a broken try leaves in the `.part` file stays there for the next one, in this run or another.
    """

    part: Path
    max_bytes: int | None = None
    progress: bool = True
    tries: int = TRIES
    wait: Callable[[float], None] = time.sleep

    def __call__(self, url: str, output_file: str | Path, pooch: object = None) -> None:
        """Brings the whole file to `output_file`. Raises: TransferError."""
        for attempt in range(self.tries):
            try:
                self._go_on(url)
                break
            except TransferError as error:
                if not error.passing or attempt == self.tries - 1:
                    raise
                self.wait(2.0**attempt)  # seconds
        self._tag.unlink(missing_ok=True)
        self.part.replace(output_file)

    @property
    def _tag(self) -> Path:
        """Where the server's mark of this version of the file is kept."""
        return self.part.with_name(f"{self.part.name}.etag")

    def _go_on(self, url: str) -> None:
        import requests

        start, headers = self._plan()
        try:
            response = requests.get(url, headers=headers, stream=True, timeout=TIMEOUT)
        except requests.RequestException as error:  # nobody answers: waiting would only delay the bad news
            raise TransferError(_in_words(error)) from None
        try:
            with response:
                self._receive(response, start)
        except requests.RequestException as error:
            raise TransferError(f"the transfer broke ({_in_words(error)})", passing=True) from None

    def _plan(self) -> tuple[int, dict[str, str]]:
        """The first byte to ask for, and how to ask: with `If-Range`, a file that has changed comes whole."""
        headers = {"Accept-Encoding": "identity"}  # lengths and places are then those of the file itself
        start = self.part.stat().st_size if self.part.exists() and self._tag.exists() else 0
        if start:
            headers["If-Range"] = self._tag.read_text(encoding="utf-8")
        if start or self.max_bytes is not None:
            headers["Range"] = f"bytes={start}-{'' if self.max_bytes is None else self.max_bytes - 1}"
        return start, headers

    def _receive(self, response: Any, start: int) -> None:
        if response.status_code == 416:  # the part is as long as the file, or longer: begin again
            self._forget()
            raise TransferError("the part from an earlier try does not fit", passing=True)
        if response.status_code not in (200, 206):
            reason = f"it answered {response.status_code} {response.reason}".rstrip()
            raise TransferError(reason, passing=response.status_code in PASSING)
        if response.headers.get("Content-Type", "").startswith("text/html"):
            raise TransferError("a web page came in place of the file, as in networks that want a log-in first")
        if response.status_code == 200:
            start = 0
        elif not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
            self._forget()
            raise TransferError("it sent another part than the one asked for", passing=True)
        self._remember(response.headers.get("ETag", ""))
        self._write(response, start)

    def _write(self, response: Any, start: int) -> None:
        from tqdm import tqdm

        length = response.headers.get("Content-Length")
        end = None if length is None else start + int(length)
        if self.max_bytes is not None:
            end = self.max_bytes if end is None else min(end, self.max_bytes)
        at, shown = start, {"unit": "B", "unit_scale": True, "desc": self.part.stem, "disable": not self.progress}
        with self.part.open("ab" if start else "wb") as file, tqdm(total=end, initial=at, **shown) as bar:
            for chunk in response.iter_content(CHUNK):
                at += file.write(chunk if end is None else chunk[: end - at])
                bar.n = at
                bar.update(0)
                if at == self.max_bytes:
                    return
        if length is not None and end is not None and at < end:
            raise TransferError(f"the transfer broke after {at:,} of {end:,} bytes", passing=True)

    def _remember(self, tag: str) -> None:
        if tag.startswith('"'):  # a weak mark, W/"…", does not promise the same bytes
            self._tag.write_text(tag, encoding="utf-8")
        else:
            self._tag.unlink(missing_ok=True)

    def _forget(self) -> None:
        self.part.unlink(missing_ok=True)
        self._tag.unlink(missing_ok=True)


def _in_words(error: Exception) -> str:
    """The innermost cause in a few words; what wraps it names objects of the library."""
    inner: BaseException = error
    while inner.__cause__ or inner.__context__:
        inner = inner.__cause__ or inner.__context__  # type: ignore[assignment]
    words = getattr(inner, "strerror", None) or str(inner) or type(inner).__name__
    return " ".join(words.split())
