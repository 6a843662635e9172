"""The checker child's work: the instructor's cells run here, and the student's on the other side of the wire."""

import time
from typing import Any

from llmcourse.grading.split.agreed import clean
from llmcourse.grading.split.frames import Channel, PeerFailed
from llmcourse.grading.split.options import Options
from llmcourse.grading.split.peer import OutOfTime
from llmcourse.grading.split.shell import SHOWN, Recorder, Shell, is_base64
from llmcourse.grading.split.sides import Checker, alarm

GONE = "The submission's own process cannot go on: {}."


def check_cells(checker: Checker, orders: Channel, shell: Shell, options: Options) -> None:
    """Run the cells that the executor names, one after the other, and answer with their outputs."""
    while True:
        order, _ = orders.receive(None)
        cell = Run(checker, shell, options, order)
        outputs = cell.student_outputs() if order["where"] == "student" else cell.checker_outputs()
        orders.send({"outputs": outputs, "broken": checker.channel.broken}, [], None)


class Run:
    """One cell at work."""

    def __init__(self, checker: Checker, shell: Shell, options: Options, order: dict[str, Any]) -> None:
        self.checker, self.shell, self.options, self.order = checker, shell, options, order
        self.seconds = min(options.seconds_per_cell, float(order["seconds"]))
        checker.seconds, checker.deadline = self.seconds, time.monotonic() + self.seconds
        checker.raised.clear()
        checker.held.clear()

    def student_outputs(self) -> list[dict[str, Any]]:
        """What a student's cell puts out, as far as it is harmless."""
        try:
            outputs = self.checker.request("cell", None, self.order["source"])
            return sound_outputs(outputs, self.options.printed_characters)
        except Exception as error:  # whatever the other side makes of it, this side goes on
            return [failure(error)]

    def checker_outputs(self) -> list[dict[str, Any]]:
        """What one of the instructor's cells puts out; a test that lost the other side on the way has failed."""
        was_broken = self.checker.channel.broken
        try:
            self.bind()
            with alarm(self.checker, self.seconds + 1):
                outputs = self.shell.run(self.order["source"], self.options.printed_characters)
        except Exception as error:
            return [failure(error)]
        late = time.monotonic() > (self.checker.deadline or 0)
        if self.order["points"] is not None:
            outputs = only_scores(outputs, self.order["points"])
        failed = any(output["output_type"] == "error" for output in outputs)
        if not failed and self.checker.channel.broken != was_broken:
            outputs.append(failure(PeerFailed(self.checker.channel.broken)))
        elif not failed and late:
            outputs.append(failure(OutOfTime("it took too long")))
        return outputs

    def bind(self) -> None:
        """Give the names that answers define their stand-ins, and take them away where there are none."""
        names = self.shell.user_ns
        open_names = [name for name in self.order["wanted"] if name not in self.order["theirs"]]
        asked = [*self.order["theirs"], *(name for name in open_names if name not in names)]
        if not asked:
            return
        for name in self.order["theirs"]:
            names.pop(name, None)
        found = self.checker.request("names", None, asked)
        if type(found) is not dict:
            raise self.checker.channel.fail("it sent no names")
        names.update({name: found[name] for name in asked if name in found})


def failure(error: Exception) -> dict[str, Any]:
    """An error as a cell shows it."""
    text = GONE.format(error) if isinstance(error, PeerFailed) else f"This cell was stopped: {error}"
    name = "CellTimeoutError" if isinstance(error, TimeoutError) else "SubmissionStopped"
    return {"output_type": "error", "ename": name, "evalue": text, "traceback": [text]}


def only_scores(outputs: list[dict[str, Any]], points: float) -> list[dict[str, Any]]:
    """A test cell's outputs, with its last value only where that is a number of points.

    nbgrader gives all the points for a value that is no number, and stops where it is too large.
    """
    kept = []
    for output in outputs:
        if output["output_type"] == "execute_result":
            score = number(output["data"].get("text/plain", ""))
            if score is None:
                continue
            if not 0 <= score <= points:
                text = f"The test cell gives {score} of {points} points."
                output = {"output_type": "error", "ename": "ValueError", "evalue": text, "traceback": [text]}
        kept.append(output)
    return kept


def number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def sound_outputs(outputs: Any, limit: int) -> list[dict[str, Any]]:
    """Outputs as the notebook format has them, with text and pictures alone.

    Raises: ValueError for anything else.
    """
    kept = Recorder(limit)
    if type(outputs) is not list:
        raise ValueError("its outputs make no sense")
    for output in outputs[:1000]:
        try:
            kind = output["output_type"]
            if kind == "stream":
                kept.stream("stderr" if output["name"] == "stderr" else "stdout", text(output["text"]))
            elif kind == "error":
                lines = [text(line) for line in output["traceback"]]
                kept.error(text(output["ename"]), text(output["evalue"]), lines)
            elif kind in ("display_data", "execute_result"):
                data = {mime: text(output["data"][mime]) for mime in SHOWN if mime in output["data"]}
                kept.rich(kind, {mime: data[mime] for mime in data if mime == "text/plain" or is_base64(data[mime])})
        except (KeyError, TypeError):
            raise ValueError("its outputs make no sense") from None
    return kept.outputs


def text(value: Any) -> str:
    if type(value) is not str:
        raise TypeError("text is text")
    return clean(value)
