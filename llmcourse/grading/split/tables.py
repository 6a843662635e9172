"""Which objects both sides know, by number: each side's own, its stand-ins for the other's, and what is kept equal."""

import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.weak import TensorWeakRef

from llmcourse.grading.split.agreed import Malformed, clean, of_kind
from llmcourse.grading.split.proxies import Remote, RemoteModule, RemoteOptimizer, module_class
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

    def read_module(self, data: dict[str, Any], reader: Reader, depth: int) -> RemoteModule:
        """A stand-in for a module, with all that is in it."""
        if depth > 100 or type(data["training"]) is not bool:
            raise Malformed("a module is no module")
        base = data["base"]
        made = object.__new__(module_class(clean(str(data["type"])), base if type(base) is str else None))
        nn.Module.__init__(made)
        for name, part in data["parameters"].items():
            made._parameters[name] = None if part is None else of_kind(nn.Parameter, reader.value(part, depth + 1))
        for name, part in data["buffers"].items():
            made._buffers[name] = None if part is None else of_kind(Tensor, reader.value(part, depth + 1))
        made._non_persistent_buffers_set.update(name for name in data["passing"] if name in made._buffers)
        for name, part in data["modules"].items():
            made._modules[name] = None if part is None else of_kind(nn.Module, reader.value(part, depth + 1))
        made.training = data["training"]
        self.adopt(data["n"], made)
        return made

    def read_optimizer(self, data: dict[str, Any], reader: Reader, depth: int) -> RemoteOptimizer:
        """A stand-in for an optimizer, with its groups."""
        groups = [of_kind(dict, reader.value(group, depth + 1)) for group in data["groups"]]
        for tensor in (tensor for group in groups for tensor in of_kind(list, group["params"])):
            of_kind(Tensor, tensor)
        made = RemoteOptimizer(groups)
        self.adopt(data["n"], made)
        return made

    def write_generator(self, value: torch.Generator, writer: Writer) -> Any:
        """A random generator with its state, or with none where ours is as it was left when it was last sent.

        The other side's copy goes on by itself: no state comes back, so nobody can choose what is drawn here next.
        """
        known = self.export_numbers.get(id(value)) is not None
        number, state = self.export(value), value.get_state()
        unmoved = known and torch.equal(self.left_states[number], state)
        if not unmoved:
            self.left_states[number] = self.move_on(state)
            value.set_state(self.left_states[number])
        return {"k": "generator", "n": number, "known": known, "state": None if unmoved else writer.plain(state)}

    def move_on(self, state: Tensor) -> Tensor:
        """The state in which a generator is left when its state has been sent."""
        return state

    def read_generator(self, data: dict[str, Any], reader: Reader) -> torch.Generator:
        """Our copy of a random generator."""
        made = of_kind(torch.Generator, self.adopted(data["n"])) if data["known"] else torch.Generator()
        if data["state"] is not None:
            made.set_state(reader.numbers(data["state"]))
        if not data["known"]:
            self.generators[data["n"]] = self.adopt(data["n"], made)
        return made
