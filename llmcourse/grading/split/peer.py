"""One side of the split: it asks the other to do things with its objects, and does what it is asked."""

import copy
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from llmcourse.grading.split.agreed import Malformed, clean, index, of_kind
from llmcourse.grading.split.errors import describe, raise_from_line, rebuilt_error
from llmcourse.grading.split.frames import Channel, PeerFailed
from llmcourse.grading.split.lending import changes_of, give_back, lent_in, remembered
from llmcourse.grading.split.proxies import SPECIAL, Bridge, Link
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
        self.graphs: dict[int, tuple[list[Tensor], list[Tensor], list[Tensor]]] = {}
        self.freed: list[int] = []
        self.busy = 0  # above 0 while a message is on its way: nothing may interrupt that
        self.raised: list[BaseException] = []  # what went over to the other side and may come back
        self.next_graph = 0

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
        with Quiet(self):
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
        header["freed"], self.freed = self.freed, []
        self.tell(header, writer)
        self.channel.send(header, writer.buffers, self._patience())
        self.sent()

    def _patience(self) -> float | None:
        return None if self.deadline is None else self.deadline + GRACE

    def _receive(self) -> tuple[dict[str, Any], Reader]:
        patience = self._patience()
        if patience is not None and time.monotonic() > patience:  # one that talks on and on is late too
            raise self.channel.fail("it did not come to an end in time")
        with Quiet(self), self.sound():
            header, buffers = self.channel.receive(patience)
            reader = Reader(self, buffers)
            of_kind(dict, header)
            self.incoming(header, reader)
            for number in header["freed"]:
                self.graphs.pop(index(number), None)
            self.hear(header, reader)
        return header, reader

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
        with Quiet(self), self.sound():
            told = header.get("raise")
            reader.outputs = self._bridge(header, reader)
            if told is None and "stop" not in header:
                result = reader.value(header["ok"])
            for place, change in header["lent"]:
                give_back(lent[index(place)], change, reader)
        if told is not None:
            self._raise(told)
        if "stop" in header:
            raise StopIteration
        return result

    def _raise(self, told: Any) -> None:
        __tracebackhide__ = True
        with self.sound():
            own = of_kind(dict, told).get("yours")
            if own is not None:
                error: Any = self.raised[index(own)]
            else:
                error = rebuilt_error(told, clean(of_kind(str, told["text"])))
                error.__dict__["_raised_there"] = index(told["mine"])
            source = clean(of_kind(str, told.get("source", "")))
        if own is not None:
            raise error
        raise_from_line(error, told.get("line"), source)

    # being asked

    def serve(self, header: dict[str, Any], reader: Reader) -> None:
        """Do what the other side asks for, and answer."""
        with Quiet(self), self.sound():
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
            with Quiet(self):
                return self._answer({"ok": writer.value(result)}, lent, writer)
        except PeerFailed:
            raise
        except BaseException as error:
            self.take_back()
            answer = {"stop": True} if stopped(name, error) else {"raise": self.account(error)}
        with Quiet(self):
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
        if name == "method":
            return getattr(target, args[0])(*args[1:])
        if name == "copy":
            return copy.deepcopy(target)
        if name == "vjp":
            return self._vjp(*args)
        return getattr(type(target), SPECIAL[name])(target, *args, **options)

    # gradients

    def _graph(self, writer: Writer) -> dict[str, Any]:
        """What the other side needs to hang the tensors of an answer on the graph that they came from."""
        if not writer.outputs:
            return {}
        leaves: list[Tensor] = []
        local: list[Tensor] = []
        for leaf in leaves_of(writer.outputs):
            (local if self.known(leaf) is None else leaves).append(leaf)
        self.next_graph += 1
        self.graphs[self.next_graph] = (writer.outputs, leaves, local)
        outputs = [writer.plain(output) for output in writer.outputs]
        return {"graph": self.next_graph, "outputs": outputs, "leaves": [self.known(leaf) for leaf in leaves]}

    def _bridge(self, header: dict[str, Any], reader: Reader) -> list[Tensor]:
        """The tensors of an answer, hung on our own graph."""
        if "graph" not in header:
            return []
        outputs = [reader.numbers(output) for output in header["outputs"]]
        leaves = [of_kind(Tensor, reader.value(leaf)) for leaf in header["leaves"]]
        if not all(tensor.is_floating_point() or tensor.is_complex() for tensor in [*outputs, *leaves]):
            raise Malformed("only floats have gradients")
        link = Link(self, index(header["graph"]), outputs)
        with torch.enable_grad():
            return list(Bridge.apply(link, torch.empty(0, requires_grad=True), *leaves))

    def _vjp(self, number: int, grads: list[Tensor | None], keep: bool) -> list[Tensor | None]:
        """Gradients of our leaves, of which the other side knows some."""
        outputs, leaves, local = self.graphs[number]
        pairs = [(output, grad) for output, grad in zip(outputs, grads, strict=True) if grad is not None]
        if not pairs or not (leaves or local):
            return [None] * len(leaves)
        ends, starts = zip(*pairs, strict=True)
        found = torch.autograd.grad(ends, [*leaves, *local], starts, retain_graph=bool(keep), allow_unused=True)
        for leaf, grad in zip(local, found[len(leaves) :], strict=True):
            if grad is not None:  # nobody over there knows this leaf, and `backward` reaches it all the same
                leaf.grad = grad if leaf.grad is None else leaf.grad + grad
        return list(found[: len(leaves)])


class Quiet:
    """No graphs and no alarms while a message is on its way."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer

    def __enter__(self) -> None:
        self.peer.busy += 1
        self.graphs = torch.is_grad_enabled()
        self.inference = torch.inference_mode(False) if torch.is_inference_mode_enabled() else None
        if self.inference is not None:
            self.inference.__enter__()
        if self.graphs:
            torch.set_grad_enabled(False)

    def __exit__(self, *error: object) -> None:
        if self.inference is not None:
            self.inference.__exit__(None, None, None)
        if torch.is_grad_enabled() is not self.graphs:
            torch.set_grad_enabled(self.graphs)
        self.peer.busy -= 1


def stopped(name: str, error: BaseException) -> bool:
    """Whether an iterator has simply come to its end."""
    return name == "next" and isinstance(error, StopIteration)


def leaves_of(outputs: list[Tensor]) -> list[Tensor]:
    """The leaves that these tensors depend on, in a fixed order."""
    found: dict[int, Tensor] = {}
    seen, waiting = set(), [output.grad_fn for output in reversed(outputs)]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        variable = getattr(node, "variable", None)
        if isinstance(variable, Tensor):
            found.setdefault(id(variable), variable)
        waiting.extend(each for each, _ in reversed(node.next_functions))
    return list(found.values())
