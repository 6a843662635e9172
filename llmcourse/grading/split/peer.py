"""One side of the split: it asks the other to do things with its objects, and does what it is asked."""

import copy
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from llmcourse.grading.split.agreed import Malformed, index, of_kind
from llmcourse.grading.split.errors import describe, rebuilt_error
from llmcourse.grading.split.frames import Channel, PeerFailed
from llmcourse.grading.split.graphs import Graph, hang
from llmcourse.grading.split.lending import changes_of, give_back, lent_in, remembered
from llmcourse.grading.split.proxies import SPECIAL, stand_in
from llmcourse.grading.split.reading import Reader
from llmcourse.grading.split.tables import Tables
from llmcourse.grading.split.writing import Writer

GRACE = 2.0  # seconds that the other side has to stop by itself


class OutOfTime(TimeoutError):
    """The cell has used up its seconds."""


class Peer(Tables):
    """Requests and answers over one channel; only ever one side runs, and the other waits for it."""

    def __init__(self, channel: Channel) -> None:
        super().__init__()
        self.channel = channel
        self.deadline: float | None = None
        self.busy = 0  # above 0 while a message is on its way: nothing may interrupt that
        self.raised: list[BaseException] = []  # what went over to the other side and may come back

    # what the two sides do differently

    def may(self, name: str, target: Any, args: list[Any]) -> None:
        """Raises: an error where the other side may not do this with that object of ours."""

    def tell(self, header: dict[str, Any], writer: Writer) -> None:
        """Add what this side tells the other with each message."""

    def hear(self, header: dict[str, Any], reader: Reader) -> None:
        """Take in what the other side tells with each message."""

    open_objects = True  # whether an attribute may be any object

    # asking

    def request(self, name: str, target: Any, *args: Any, **options: Any) -> Any:
        """What the other side gives back for an operation on one of its objects.

        Raises: what was raised over there; PeerFailed when the other side is gone, too slow or talks nonsense.
        """
        __tracebackhide__ = True
        if self.deadline is not None and time.monotonic() > self.deadline:
            raise OutOfTime("The time for this cell is used up.")
        grad = torch.is_grad_enabled()
        with self.quiet():
            writer = Writer(self)
            try:
                header: dict[str, Any] = {"do": name, "on": writer.value(target), "grad": grad}
                header["args"] = [writer.value(arg) for arg in args]
                header["options"] = {key: writer.value(value) for key, value in options.items()}
                self._send(header, writer)
            except BaseException:
                self.take_back()
                raise
        lent = lent_in([*args, *options.values()])
        while True:
            header, reader = self._receive()
            if "do" not in header:
                return self._result(header, reader, lent)
            self.serve(header, reader)

    def _send(self, header: dict[str, Any], writer: Writer) -> None:
        header |= self.outgoing(writer)
        self.tell(header, writer)
        self.channel.send(header, writer.buffers, self._patience())
        self.sent()

    def _patience(self) -> float | None:
        return None if self.deadline is None else self.deadline + GRACE

    def _receive(self) -> tuple[dict[str, Any], Reader]:
        patience = self._patience()
        if patience is not None and time.monotonic() > patience:  # one that talks on and on is late too
            raise self.channel.fail("it did not come to an end in time")
        with self.quiet(), self.sound():
            header, buffers = self.channel.receive(patience)
            reader = Reader(self, buffers)
            of_kind(dict, header)
            self.incoming(header, reader)
            self.hear(header, reader)
        return header, reader

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """No graphs and no alarms while a message is on its way."""
        self.busy += 1
        try:
            with torch.inference_mode(False), torch.no_grad():
                yield
        finally:
            self.busy -= 1

    @contextmanager
    def sound(self) -> Iterator[None]:
        """Whatever goes wrong while a message is read is the sender's fault, and the end of the channel."""
        try:
            yield
        except (PeerFailed, OutOfTime):
            raise
        except Exception as error:
            reason = f": {error}" if isinstance(error, Malformed) else ""
            raise self.channel.fail(f"it sent a message that makes no sense{reason}") from None

    def _result(self, header: dict[str, Any], reader: Reader, lent: list[Any]) -> Any:
        __tracebackhide__ = True
        with self.quiet(), self.sound():
            reader.outputs = self._hung(header, reader)
            error = self._error(header)
            result = reader.value(header["ok"]) if error is None else None
            for place, change in header["lent"]:
                give_back(lent[index(place)], change, reader)
        if error is not None:
            raise error
        return result

    def _error(self, header: dict[str, Any]) -> BaseException | None:
        """What was raised over there, if anything; what was raised here before that is itself again."""
        if "raise" not in header:
            return StopIteration() if "stop" in header else None
        told = header["raise"]
        if "yours" in told:
            return self.raised[index(told["yours"])]
        error = rebuilt_error(told)
        error.__dict__["_raised_there"] = index(told["mine"])
        return error

    # being asked

    def serve(self, header: dict[str, Any], reader: Reader) -> None:
        """Do what the other side asks for, and answer."""
        with self.quiet(), self.sound():
            name = of_kind(str, header["do"])
            target = reader.value(header["on"])
            args = [reader.value(arg) for arg in header["args"]]
            options = {of_kind(str, key): reader.value(value) for key, value in header["options"].items()}
            grad = of_kind(bool, header["grad"])
            lent = remembered(lent_in([*args, *options.values()]))
        writer = Writer(self, answering=True)
        try:
            self.may(name, target, args)
            with torch.set_grad_enabled(grad):
                result = self.perform(name, target, args, options)
            writer.objects = self.open_objects or name != "get"
            with self.quiet():
                return self._answer({"ok": writer.value(result)}, lent, writer)
        except PeerFailed:
            raise
        except BaseException as error:
            self.take_back()
            at_end = name == "next" and isinstance(error, StopIteration)
            answer = {"stop": True} if at_end else {"raise": self.account(error)}
        with self.quiet():
            self._answer(answer, lent, Writer(self, answering=True))

    def _answer(self, header: dict[str, Any], lent: list[tuple[Any, Any]], writer: Writer) -> None:
        header["lent"] = changes_of(lent, writer)
        self._send(header | self._graph(writer), writer)

    def account(self, error: BaseException) -> dict[str, Any]:
        """The error as plain data; one that came from the other side goes back as that side's own."""
        number = getattr(error, "_raised_there", None)
        if number is not None:
            return {"yours": number}
        self.raised.append(error)
        return {**describe(error), "mine": len(self.raised) - 1}

    def perform(self, name: str, target: Any, args: list[Any], options: dict[str, Any]) -> Any:
        """Do one operation on an object of ours."""
        if name == "call":
            return target(*args, **options)
        if name == "get":
            return getattr(target, *args)
        if name == "set":
            return setattr(target, *args)
        if name == "step":
            return target.step()
        if name == "copy":
            return copy.deepcopy(target)
        if name == "vjp":
            return target.gradients(*args)
        return getattr(type(target), SPECIAL[name])(target, *args, **options)

    # gradients

    def _graph(self, writer: Writer) -> dict[str, Any]:
        """What the other side needs to hang the tensors of an answer on the graph that they came from."""
        if not writer.outputs:
            return {}
        graph = Graph(writer.outputs, self.known)
        outputs, leaves = [writer.plain(each) for each in graph.outputs], [self.known(leaf) for leaf in graph.leaves]
        return {"graph": self.export(graph), "outputs": outputs, "leaves": leaves}

    def _hung(self, header: dict[str, Any], reader: Reader) -> list[Tensor]:
        """The tensors of an answer, hung on our own graph."""
        if "graph" not in header:
            return []
        outputs = [reader.numbers(output) for output in header["outputs"]]
        leaves = [of_kind(Tensor, reader.value(leaf)) for leaf in header["leaves"]]
        if not all(tensor.is_floating_point() or tensor.is_complex() for tensor in [*outputs, *leaves]):
            raise Malformed("only floats have gradients")
        return hang(self.adopt(header["graph"], stand_in("Graph", frozenset())), outputs, leaves)
