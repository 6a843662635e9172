"""What every check is made of: a failure that teaches, and the comparison that finds which mistake it was."""

import linecache
import random
import sys
import textwrap
from collections.abc import Callable, Iterable, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

# float32 against float64, over a few hundred additions
RTOL, ATOL = 1e-4, 1e-5

Function = Callable[..., Any]  # whatever a student wrote


class CheckFailed(AssertionError):
    """A failed check: a message to learn from, and a code that stays the same when its wording changes."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{message} [{code}]")
        self.code = code
        self.message = message

    def _render_traceback_(self) -> list[str]:
        # IPython asks for this: the message alone, as our own frames and a hidden test teach nothing
        # short lines, as `nbgrader validate` cuts long ones off
        return [*textwrap.wrap(f"Check failed: {self.message}", 80), f"(code: {self.code})"]


@dataclass(frozen=True)
class Mistake:
    """A wrong way that people really take: its code, what to say, and the result it leads to."""

    code: str
    message: str
    result: Callable[[], Tensor]


def sizes(seed: int, count: int, low: int = 3, high: int = 11) -> list[int]:
    """`count` different sizes, so that no two dimensions can be mixed up unseen."""
    return random.Random(f"sizes {seed}").sample(range(low, high), count)


def normal(seed: int, *shape: int) -> Tensor:
    """Standard normal numbers that depend on the seed and the shape alone."""
    generator = torch.Generator().manual_seed(seed % 2**63)
    return torch.randn(*shape, generator=generator)


def close(actual: Tensor, expected: Tensor) -> bool:
    """Whether both hold the same numbers up to rounding; infinities must match, and NaN equals nothing."""
    if actual.shape != expected.shape:
        return False
    return torch.allclose(actual.detach().double(), expected.detach().double(), rtol=RTOL, atol=ATOL)


def call(area: str, function: Function, *inputs: Any, **options: Any) -> Any:
    """What the student's function returns for copies of the inputs.

    Raises: CheckFailed when it raises, is unfinished, or changes a tensor that was handed to it.
    """
    copies = [each.clone() if isinstance(each, Tensor) else each for each in inputs]
    name = name_of(function)
    try:
        with redirect_stderr(sys.stdout):  # a warning in a test cell would cost all of its points
            result = function(*copies, **options)
    except CheckFailed:
        raise
    except NotImplementedError as error:
        message = f"{name} is not written yet: put your code in place of `raise NotImplementedError`."
        raise CheckFailed(f"{area}.unfinished", message) from error
    except Exception as error:
        message = f"{name} stopped with {type(error).__name__}: {one_line(error)}{place_of(error)}"
        raise CheckFailed(f"{area}.raises", message) from error
    for given, copy in zip(inputs, copies, strict=True):
        # NaN marks nothing here: inputs are ours, and none of them holds one
        if isinstance(given, Tensor) and not torch.equal(given, copy):
            message = (
                f"{name} changes a tensor that its caller still needs: work on a copy (`a = a / b`, not `a /= b`)."
            )
            raise CheckFailed(f"{area}.changes-input", message)
    return result


def name_of(function: Function) -> str:
    """What the student calls it."""
    return getattr(function, "__name__", None) or type(function).__name__


def one_line(error: BaseException, limit: int = 200) -> str:
    """The first line of an error, shortened."""
    text = str(error).strip() or "no message"
    first = text.splitlines()[0]
    return first if len(first) <= limit else first[: limit - 1] + "…"


def place_of(error: BaseException) -> str:
    """The student's own line in which an error arose, ready to stand behind the error's message."""
    place, trace = "", error.__traceback__
    while trace is not None:
        filename = trace.tb_frame.f_code.co_filename
        if "ipykernel" in filename or filename.startswith("<"):
            source = linecache.getline(filename, trace.tb_lineno).strip()
            place = f" (line {trace.tb_lineno} of the cell{f': `{source}`' if source else ''})"
        trace = trace.tb_next
    return place


def shape_text(shape: Sequence[int], letters: str) -> str:
    """A shape with its letters, such as `2 x 5 x 3 (B T D)`."""
    return " x ".join(str(size) for size in shape) + f" ({letters})"


def expect_tensor(area: str, name: str, value: Any) -> Tensor:
    """The value, once it is known to be a tensor."""
    if isinstance(value, Tensor):
        return value
    hint = " Is there a `return`?" if value is None else ""
    raise CheckFailed(
        f"{area}.not-a-tensor", f"{name} should return a tensor, but returned {type(value).__name__}.{hint}"
    )


def expect_shape(area: str, name: str, actual: Tensor, shape: Sequence[int], letters: str) -> None:
    """Raises: CheckFailed when the shape differs from the one in the task."""
    if tuple(actual.shape) == tuple(shape):
        return
    found = " x ".join(str(size) for size in actual.shape) or "a single number"
    message = f"{name} should return a tensor of {shape_text(shape, letters)}, but the shape is {found}."
    raise CheckFailed(f"{area}.shape", message)


def name_the_mistake(actual: Tensor, mistakes: Iterable[Mistake]) -> None:
    """Raises: CheckFailed for the first mistake that leads to just this result."""
    for mistake in mistakes:
        if same_mistake(actual, mistake.result()):
            raise CheckFailed(mistake.code, mistake.message)


def same_mistake(actual: Tensor, wrong: Tensor) -> bool:
    """Whether both hold the same numbers and NaN in the same places; NaN alone is a sign of many mistakes."""
    if actual.shape != wrong.shape or wrong.isnan().all():
        return False
    a, b = actual.detach().double(), wrong.detach().double()
    return torch.allclose(a, b, rtol=RTOL, atol=ATOL, equal_nan=True)


def judge(area: str, name: str, value: Any, expected: Tensor, letters: str, mistakes: Iterable[Mistake] = ()) -> None:
    """Compare a student's result with the right one, and say which mistake leads to it.

    Raises: CheckFailed with the code of the first mistake that reproduces the result; otherwise `<area>.shape`,
    `<area>.nan` or `<area>.values`, with the place of the largest difference.
    """
    actual = expect_tensor(area, name, value)
    if close(actual, expected):
        return
    name_the_mistake(actual, mistakes)
    expect_shape(area, name, actual, expected.shape, letters)
    difference = (actual.detach().double() - expected.detach().double()).abs()
    if difference.isnan().any():
        message = f"{name} returns NaN (not a number). It comes from 0 * inf, inf - inf, or a softmax over -inf alone."
        raise CheckFailed(f"{area}.nan", message)
    # the first of the largest; `torch.unravel_index` imports a library of algebra when it is called
    place = tuple(int(i) for i in (difference == difference.max()).nonzero()[0])
    message = (
        f"{name} returns the right shape and the wrong numbers. At {list(place)} ({letters}) it gives "
        f"{actual[place].item():.4f}, and the answer is {expected[place].item():.4f}."
    )
    raise CheckFailed(f"{area}.values", message)
