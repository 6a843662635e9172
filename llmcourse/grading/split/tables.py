"""Which objects both sides know, by number: each side's own, its stand-ins for the other's, and what is kept equal."""

import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.weak import TensorWeakRef

from llmcourse.grading.split.agreed import Malformed
from llmcourse.grading.split.proxies import Remote, RemoteModule, RemoteOptimizer
from llmcourse.grading.split.reading import Reader
from llmcourse.grading.split.states import SettingsState, State, TensorState
from llmcourse.grading.split.writing import Writer

MOST_NUMBERS = 200_000


class Tables:
    """The numbers under which objects cross. A stand-in that dies takes its number along with the next message."""

    def __init__(self) -> None:
        self.exports: dict[int, Any] = {}
        self.export_numbers: dict[int, int] = {}
        self.imports: dict[int, Callable[[], Any]] = {}
        self.import_numbers: dict[int, int] = {}
        self.states: dict[tuple[bool, int], State] = {}
        self.left_states: dict[int, Tensor] = {}  # of random generators, as they were left when they were last sent
        self.next_number = 0
        self.fresh: list[int] = []  # exported with the message that is being written
        self.told: list[State] = []  # whose changes are in the message that is being written
        self.dead: list[int] = []
        self.living: list[Any] = []  # stand-ins that were there when the last message went out, or have come since
        self.held: list[Tensor] = []  # stand-ins with a gradient, which live until the other side has its answer
        self.generators: dict[int, torch.Generator] = {}  # they go on where they stopped, so they live to the end

    def export(self, value: Any, keep_equal: bool = False) -> int:
        """The number of one of our own objects."""
        known = self.export_numbers.get(id(value))
        if known is not None:
            return known
        if len(self.exports) >= MOST_NUMBERS:
            raise ValueError(f"More than {MOST_NUMBERS} objects do not cross.")
        self.next_number += 1
        self.exports[self.next_number] = value
        if not isinstance(value, Tensor) or keep_equal:  # a cut in a graph is made anew each time
            self.export_numbers[id(value)] = self.next_number
        self._keep_equal(True, self.next_number, value, lambda: value, keep_equal)
        self.fresh.append(self.next_number)
        return self.next_number

    def take_back(self) -> None:
        """Forget what went into a message that is not sent."""
        for number in self.fresh:
            self.drop(number)
        self.fresh, self.told = [], []

    def drop(self, number: int) -> None:
        """Let go of one of our own objects, which the other side no longer knows."""
        value = self.exported(number)
        if self.export_numbers.get(id(value)) == number:
            del self.export_numbers[id(value)]
        del self.exports[number]
        self.states.pop((True, number), None)
        self.left_states.pop(number, None)

    def exported(self, number: Any) -> Any:
        """Our own object of that number."""
        if type(number) is not int or number not in self.exports:
            raise Malformed("it names an object that it was never given")
        return self.exports[number]

    def adopt(self, number: Any, value: Any, keep_equal: bool = False) -> Any:
        """The stand-in, known from now on under the number that the other side gave to its object."""
        if type(number) is not int or self._alive(number) is not None or len(self.imports) >= MOST_NUMBERS:
            raise Malformed("an object's number is new")
        if isinstance(value, Remote | RemoteModule | RemoteOptimizer):
            object.__setattr__(value, "_link", (self, number))
        find = TensorWeakRef(value) if isinstance(value, Tensor) else weakref.ref(value)
        self.imports[number], self.import_numbers[id(value)] = find, number
        self._keep_equal(False, number, value, find, keep_equal)
        self.living.append(value)
        if keep_equal and value.grad is not None:  # which may be changed when nobody holds its tensor any more
            self.held.append(value)
        return value

    def adopted(self, number: Any) -> Any:
        """The stand-in of that number."""
        value = self._alive(number) if type(number) is int else None
        if value is None:
            raise Malformed("it names an object that is not there")
        return value

    def _alive(self, number: int) -> Any:
        find = self.imports.get(number)
        return None if find is None else find()

    def _keep_equal(self, mine: bool, number: int, value: Any, find: Callable[[], Any], keep_equal: bool) -> None:
        if isinstance(value, nn.Module | torch.optim.Optimizer):
            self.states[mine, number] = SettingsState(find)
        elif keep_equal:
            self.states[mine, number] = TensorState(find)

    def known(self, value: Any) -> dict[str, Any] | None:
        """How an object is named that has crossed before, in either direction."""
        number = self.import_numbers.get(id(value))
        if number is not None and self._alive(number) is value:
            return {"k": "yours", "n": number}
        number = self.export_numbers.get(id(value))
        if number is None or isinstance(value, torch.Generator):  # its state may have to go along once more
            return None
        return {"k": "mine", "n": number}

    def outgoing(self, writer: Writer) -> dict[str, Any]:
        """What the other side must hear before anything else: what has changed, and stand-ins that died."""
        changes = []
        for (mine, number), state in self.states.items():
            change = state.changes(writer)
            if change is not None:
                self.told.append(state)
                changes.append([mine, number, change])
        self.living.clear()
        found = {number: find() for number, find in self.imports.items()}
        for number in [number for number, value in found.items() if value is None]:
            del self.imports[number]
            self.states.pop((False, number), None)
            self.dead.append(number)
        self.living.extend(found.values())  # what is not reported dead stays until the next message
        return {"changes": changes, "dead": self.dead}

    def sent(self) -> None:
        """The message has gone out."""
        for state in self.told:
            state.remember()
        self.fresh, self.told, self.dead = [], [], []

    def incoming(self, header: dict[str, Any], reader: Reader) -> None:
        """Hear what the other side says first."""
        for theirs, number, change in header["changes"]:
            state = self.states.get((theirs is False, number)) if type(number) is int else None
            if state is None:
                raise Malformed("it changes what is not kept equal")
            state.apply(change, reader)
        for number in header["dead"]:
            self.drop(number)

    def new_state(self, number: int, generator: torch.Generator) -> Tensor | None:
        """A random generator's state, to be sent; None where it is as it was left when it was last sent.

        The other side's copy goes on by itself: no state comes back, so nobody can choose what is drawn here next.
        """
        state, left = generator.get_state(), self.left_states.get(number)
        if left is not None and torch.equal(left, state):
            return None
        self.left_states[number] = self.move_on(state)
        generator.set_state(self.left_states[number])
        return state

    def move_on(self, state: Tensor) -> Tensor:
        """The state in which a generator is left when its state has been sent."""
        return state

    def generator(self, number: Any, state: Tensor | None) -> torch.Generator:
        """Our copy of a random generator of the other side, set to that state if there is one."""
        if number not in self.generators:
            self.generators[number] = self.adopt(number, torch.Generator())
        if state is not None:
            self.generators[number].set_state(state)
        return self.generators[number]
