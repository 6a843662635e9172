"""The two sides: the student's, which does as it is told, and the checker's, which trusts nothing that it hears."""

import hashlib
import random
import signal
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import torch
from torch import Tensor, nn

from llmcourse.grading.split.agreed import PLAIN, of_kind
from llmcourse.grading.split.frames import Channel
from llmcourse.grading.split.graphs import Graph
from llmcourse.grading.split.peer import Peer
from llmcourse.grading.split.proxies import ARITHMETIC, CONTAINER
from llmcourse.grading.split.reading import Reader
from llmcourse.grading.split.shell import Recorder, Shell
from llmcourse.grading.split.writing import FUNCTIONS, Writer

AGAIN = 0.05  # seconds until an alarm that came at a bad moment comes once more


@contextmanager
def alarm(peer: Peer, seconds: float) -> Iterator[None]:
    """Interrupt the block after so many seconds, though never in the midst of a message."""

    def ring(number: int, frame: Any) -> None:
        if peer.busy:
            signal.setitimer(signal.ITIMER_REAL, AGAIN)
        else:
            raise TimeoutError(f"it took more than {seconds:.0f} seconds and was stopped")

    signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, max(0.001, seconds))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


class Student(Peer):
    """Runs the student's cells, and calls what they define when the checker asks for it."""

    def __init__(self, channel: Channel, shell: Shell, printed_characters: int) -> None:
        super().__init__(channel)
        self.shell, self.limit = shell, printed_characters
        self.seconds = 0.0
        shell.recorder = self.printed = Recorder(printed_characters)

    def work(self) -> None:
        """Do what the checker asks for until it hangs up."""
        while True:
            header, reader = self._receive()
            self.raised.clear()
            with suppress(TimeoutError), alarm(self, self.seconds):
                self.serve(header, reader)
            self.held.clear()

    def perform(self, name: str, target: Any, args: list[Any], options: dict[str, Any]) -> Any:
        if name == "cell":
            self.shell.recorder = self.printed = Recorder(self.limit)
            return self.shell.run(args[0], self.limit)
        if name == "names":
            return {each: self.shell.user_ns[each] for each in args[0] if each in self.shell.user_ns}
        return super().perform(name, target, args, options)

    def tell(self, header: dict[str, Any], writer: Writer) -> None:
        header["printed"] = "".join(out["text"] for out in self.printed.outputs if out["output_type"] == "stream")
        self.printed.outputs.clear()

    def hear(self, header: dict[str, Any], reader: Reader) -> None:
        self.seconds = header["seconds"]
        if header["chance"][0] is not None:
            torch.set_rng_state(reader.numbers(header["chance"][0]))
        if header["chance"][1] is not None:
            version, numbers, gauss = header["chance"][1]
            random.setstate((version, tuple(numbers), gauss))


class Checker(Peer):
    """Runs the instructor's cells. What it hands out may be called; little else, and nothing that leads further."""

    open_objects = False

    def __init__(self, channel: Channel, seconds: float, key: str = "") -> None:
        super().__init__(channel)
        self.seconds, self.key = seconds, hashlib.sha256(key.encode()).digest()
        self.left_states[0], self.left = torch.get_rng_state(), random.getstate()

    def may(self, name: str, target: Any, args: list[Any]) -> None:
        """Functions can be called, iterators advanced, containers read; modules and optimizers show their data."""
        kind = type(target).__name__
        if id(target) not in self.export_numbers:
            raise PermissionError("Only what was handed out can be used from here.")
        if name == "get":
            attribute = of_kind(str, args[0])
            if not may_show(target, attribute):
                raise AttributeError(f"{kind!r} object has no attribute {attribute!r} that can be seen from here.")
        elif name == "call":
            if not callable(target):
                raise TypeError(f"{kind!r} object is not callable")
        elif name in OWN:
            of_kind(OWN[name], target)
        elif name not in (*CONTAINER, *ARITHMETIC):
            raise PermissionError(f"A {kind} of another process is not changed from here.")

    def account(self, error: BaseException) -> dict[str, Any]:
        """The error without the line that it comes from, which may be one of a hidden test's."""
        return {key: value for key, value in super().account(error).items() if key not in ("line", "source")}

    def seed_after(self, state: bytes) -> int:
        """A seed that follows from a state, and that nobody can tell from it who does not know the key."""
        return int.from_bytes(hashlib.blake2b(state, key=self.key, digest_size=8).digest(), "big") >> 1

    def move_on(self, state: Tensor) -> Tensor:
        """Another state: one that is set anew to what was sent before is sent again, and others go on over there."""
        return torch.Generator().manual_seed(self.seed_after(state.numpy().tobytes())).get_state()

    def tell(self, header: dict[str, Any], writer: Writer) -> None:
        header["seconds"] = self.seconds
        tensors, python = self.new_state(0, torch.default_generator), random.getstate()
        redrawn = python != self.left
        header["chance"] = [None if tensors is None else writer.plain(tensors), python if redrawn else None]
        if redrawn:
            random.seed(self.seed_after(repr(python).encode()))
            self.left = random.getstate()

    def hear(self, header: dict[str, Any], reader: Reader) -> None:
        printed = reader.value(of_kind(str, header["printed"]))
        if printed:
            sys.stdout.write(printed)


OWN = {"step": torch.optim.Optimizer, "copy": nn.Module, "vjp": Graph}  # what is done with objects of one kind alone
# what leads from an object to the program around it
CLOSED = (*FUNCTIONS, types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType, types.ModuleType, Graph)


def may_show(target: Any, name: str) -> bool:
    """Whether the other side may see this attribute of an object of ours."""
    if name.startswith("_") or isinstance(target, CLOSED):
        return False
    if isinstance(target, nn.Module | torch.optim.Optimizer):
        base = nn.Module if isinstance(target, nn.Module) else torch.optim.Optimizer
        return name in ("training", "param_groups") or not hasattr(base, name)
    value = getattr(type(target), name, None)
    return callable(value) or isinstance(getattr(target, name, None), (*PLAIN, Tensor, nn.Module, list, tuple, dict))
