"""Random messages from a student's side that has lost its mind: the checker must say so, and go on living.

python -m tests.grading.split.wire_fuzz --cases 10000 --seed 0 --log wire-fuzz.log
"""

import argparse
import io
import json
import random
import socket
import struct
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import torch
from torch import nn

from llmcourse.data import Batch
from llmcourse.grading.split.frames import MAGIC, PREFIX, Channel, PeerFailed
from llmcourse.grading.split.sides import Checker
from tests.grading.split.both import BODY, HEADER

ATOMS = [
    *(None, True, False, 0, 1, -1, 2, 3, 2**31, 2**63, -(2**70), 0.5, float("nan"), float("inf"), "", "a", "\ud800"),
    *("l", "t", "d", "s", "tensor", "float32", "bool", "mine", "yours", "ref", "module", "call", "get", "__class__"),
]
TAGS = ["l", "t", "s", "f", "d", "slice", "bytes", "constant", "what"]
KINDS = [
    "tensor",
    "cut",
    "leaf",
    "parameter",
    "out",
    "mine",
    "yours",
    "ref",
    "module",
    "optimizer",
    "generator",
    "data",
]
FIELDS: dict[str, list[Any]] = {
    "dtype": ["float32", "int64", "bool", "float8", "quint8"],
    "shape": [[], [2], [0], [2, 2], [-1], [2**40], ["2"], [True]],
    "at": [0, 1, -1, 99],
    "n": [0, 1, 2, 3, 10**9, -1],
    "i": [0, 1, -1],
    "type": ["Net", "llmcourse.data.batching:Batch", "os:system", "llmcourse.grading.split.pair:Pair"],
    "base": [None, "Linear", "Module", "Transformer", "__doc__"],
    "can": [[], ["call"], ["iter", "next", "len"], ["__del__"], None],
    "training": [True, False, 1],
    "fields": [{}, {"inputs": 1, "targets": 2}, []],
    **{name: [{}, {"a": None}, [], None] for name in ("parameters", "buffers", "modules")},
    "passing": [[], ["a"], None],
    "groups": [[], [["d", []]], [["d", [["params", ["l", []]]]]]],
    "state": [None],
    "grad": [None],
    "needs": [True, False, 2],
}
OPERATIONS = ["call", "get", "set", "item", "put", "len", "iter", "next", "in", "copy", "vjp", "step", "add", "what"]


class Fuzz:
    """Messages from one seed."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)

    def value(self, depth: int = 0) -> Any:
        """Something like a value."""
        draw, kind = self.draw, self.draw.random()
        if depth > 4 or kind < 0.35:
            return draw.choice(ATOMS)
        if kind < 0.6:
            items = [self.value(depth + 1) for _ in range(draw.randrange(3))]
            tag = draw.choice(TAGS)
            return [tag, [items] if tag == "d" and draw.random() < 0.5 else items]
        made = {"k": draw.choice([*KINDS, "nothing"])}
        made |= {name: draw.choice(options) for name, options in FIELDS.items() if draw.random() < 0.9}
        if draw.random() < 0.2:
            made[draw.choice([*FIELDS])] = self.value(depth + 1)
        return made

    def message(self) -> dict[str, Any]:
        """Something like a request or an answer, right in many of its parts."""
        draw = self.draw
        made: dict[str, Any] = {"dead": [], "changes": [], "printed": "x", "sizes": []}
        shape = draw.random()
        if shape < 0.4:
            args = [self.value() for _ in range(draw.randrange(3))]
            made |= {"do": draw.choice(OPERATIONS), "on": self.value(), "args": args, "options": {}, "grad": True}
        elif shape < 0.8:
            made |= {"ok": self.value(), "lent": []}
            if draw.random() < 0.3:
                made |= {"graph": self.value(), "outputs": [self.value()], "leaves": [self.value()]}
        else:
            told = {"type": draw.choice(["ValueError", "CheckFailed", "Own"]), "text": "no", "mine": 0, "code": "a.b"}
            if draw.random() < 0.5:
                told[draw.choice([*told, "line", "source", "yours"])] = self.value()
            made["raise"] = told
            made["lent"] = []
        for name in ("dead", "changes", "printed", "lent", "options", "grad", "raise"):
            if draw.random() < 0.06:
                made[name] = draw.choice([self.value(), [self.value()], [[0, self.value()]], [[True, 1, self.value()]]])
        return made

    def data(self) -> bytes:
        """The bytes of a message, or of what is none."""
        draw = self.draw
        body = draw.randbytes(draw.choice([0, 0, 4, 8, 16, 32]))
        message = self.message()
        message["sizes"] = [len(body)] if draw.random() < 0.95 else draw.choice([[1], [-1, 1], None, "a", [2**70]])
        text = json.dumps(message).encode()
        data = bytearray(PREFIX.pack(MAGIC, len(text), len(body)) + text + body)
        if draw.random() < 0.15:
            for _ in range(draw.randrange(1, 4)):
                data[draw.randrange(len(data))] = draw.randrange(256)
        if draw.random() < 0.05:
            data = data[: draw.randrange(len(data))]
        if draw.random() < 0.02:
            data = bytearray(struct.pack(">4sIQ", MAGIC, draw.choice([2**32 - 1, 2]), draw.choice([2**63, 2**40])))
        return bytes(data)


def one_case(seed: int) -> str:
    """What became of a checker that is told such things: its error's name, or "answered".

    Raises: whatever it must not raise.
    """
    fuzz = Fuzz(seed)
    near, far = socket.socketpair()
    with near, far:
        checker = Checker(Channel(near, HEADER, BODY), 5)
        module, kept = nn.Linear(2, 2), {"a": [1, 2]}
        before = [parameter.detach().clone() for parameter in module.parameters()]
        batch = Batch(torch.zeros(1, 2, dtype=torch.long), torch.zeros(1, 2, dtype=torch.long))
        far.sendall(b"".join(fuzz.data() for _ in range(fuzz.draw.randrange(1, 4))))
        far.shutdown(socket.SHUT_WR)
        checker.deadline = time.monotonic() + 5
        try:
            with redirect_stdout(io.StringIO()):
                checker.request("call", None, module, torch.ones(2), kept, batch, print)
        except PeerFailed:
            assert checker.channel.broken
            return "refused"
        except (Exception, StopIteration) as error:
            return type(error).__name__  # an error that the message told of, which fails a test
        finally:
            for now, then in zip(module.parameters(), before, strict=True):
                assert now.shape == then.shape
                assert now.dtype == then.dtype
    return "answered"


def main() -> None:
    """Run many cases, and keep a log."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--log", type=Path, required=True)
    options = parser.parse_args()
    counts: dict[str, int] = {}
    start = time.monotonic()
    for case in range(options.seed, options.seed + options.cases):
        outcome = one_case(case)
        counts[outcome] = counts.get(outcome, 0) + 1
    lines = [f"{options.cases} cases from seed {options.seed}, none of which ended the checker"]
    lines += [f"{count:7d} {outcome}" for outcome, count in sorted(counts.items(), key=lambda pair: -pair[1])]
    options.log.write_text("\n".join([*lines, ""]), encoding="utf-8")
    sys.stdout.write("\n".join([*lines, f"{time.monotonic() - start:.0f} seconds", ""]))


if __name__ == "__main__":
    main()
