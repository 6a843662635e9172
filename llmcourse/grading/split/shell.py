"""An IPython shell that notes what a cell puts out, as a notebook would."""

import base64
import io
import re
import sys
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

PICTURES = ("image/png", "image/jpeg")
SHOWN = ("text/plain", *PICTURES)
PICTURE_CHARACTERS = 2_000_000
MOST_RICH = 200  # results and displays of one cell


class Recorder:
    """The outputs of one cell, cut off where they grow beyond what anybody reads."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.outputs: list[dict[str, Any]] = []
        self.room = limit

    def stream(self, name: str, text: str) -> None:
        """Note what was printed."""
        if not text or self.room < 0:
            return
        self.room -= len(text)
        if self.room < 0:
            text = text[: self.room] + "\n(more was printed)\n"
        if self.outputs and self.outputs[-1]["output_type"] == "stream" and self.outputs[-1]["name"] == name:
            self.outputs[-1]["text"] += text
        else:
            self.outputs.append({"output_type": "stream", "name": name, "text": text})

    def rich(self, kind: str, data: dict[str, Any]) -> None:
        """Note a result or a display: text and pictures, and nothing that a page would run."""
        if len(self.outputs) < MOST_RICH:
            shown = {mime: encoded(data[mime]) for mime in SHOWN if mime in data}
            self.outputs.append({"output_type": kind, "data": shown})

    def error(self, name: str, text: str, lines: list[str]) -> None:
        """Note an error."""
        lines = [line[: self.limit] for line in lines[:200]]
        self.outputs.append({"output_type": "error", "ename": name, "evalue": text[: self.limit], "traceback": lines})


def encoded(value: Any) -> str:
    """Text as it is, a picture in base64."""
    text = base64.b64encode(value).decode("ascii") if isinstance(value, bytes) else str(value)
    return text[:PICTURE_CHARACTERS]


def is_base64(value: Any) -> bool:
    """Whether this may be a picture, written as text."""
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9+/\s]*={0,2}\s*", value) is not None


class Stream(io.TextIOBase):
    """A standard stream that ends in whatever the shell notes at present."""

    def __init__(self, shell: "Shell", name: str) -> None:
        self.shell, self.stream_name = shell, name

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self.shell.recorder.stream(self.stream_name, text)
        return len(text)

    def writable(self) -> bool:
        return True


class Publisher(DisplayPublisher):
    """Displays end in the notes."""

    shell: "Shell"

    def publish(self, data: Any, *args: Any, **options: Any) -> None:
        self.shell.recorder.rich("display_data", data)


class Hook(DisplayHook):
    """So does a cell's last value."""

    shell: "Shell"

    def write_output_prompt(self) -> None:
        """There is no prompt to write."""

    def write_format_data(self, format_dict: dict[str, Any], md_dict: Any = None) -> None:
        self.shell.recorder.rich("execute_result", format_dict)


class Shell(InteractiveShell):
    """A shell without a history, a terminal or a kernel."""

    def __init__(self, **options: Any) -> None:
        self.recorder = Recorder(0)
        config = Config()
        config.HistoryManager.enabled = False
        super().__init__(
            config=config, displayhook_class=Hook, display_pub_class=Publisher, colors="nocolor", **options
        )

    def enable_gui(self, gui: Any = None) -> None:
        """There is none, and `%matplotlib inline` needs none."""

    def ask_exit(self) -> None:
        """`exit()` ends nothing: cells that follow still run."""

    def _showtraceback(self, etype: type[BaseException], evalue: BaseException, stb: Any) -> None:
        lines = stb if isinstance(stb, list) else str(stb).splitlines()
        self.recorder.error(etype.__name__, str(evalue), [str(line) for line in lines])

    def take_streams(self) -> None:
        """From now on, what this process prints is noted."""
        sys.stdout, sys.stderr = Stream(self, "stdout"), Stream(self, "stderr")

    def run(self, source: str, limit: int) -> list[dict[str, Any]]:
        """The outputs of one cell."""
        before, self.recorder = self.recorder, Recorder(limit)
        try:
            self.run_cell(source, store_history=True)
            return self.recorder.outputs
        finally:
            self.recorder = before
