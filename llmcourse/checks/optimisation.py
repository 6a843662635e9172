"""Checks of how far a step goes: the learning rate's schedule, and the length that a gradient may have."""

import math
import random
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from llmcourse.checks.core import CheckFailed, Function, Mistake, call, close, judge, name_the_mistake, normal, sizes
from llmcourse.checks.core import name_of as named
from llmcourse.checks.tiny import AREA, as_number


def check_schedule(learning_rate: Function, seed: int = 0) -> None:
    """Up in a straight line that starts above 0, down half a cosine to the final rate, and level from then on."""
    draw = random.Random(f"schedule {seed}")
    warmup, steps = draw.randint(4, 9), draw.randint(25, 40)
    peak = draw.uniform(0.5, 2.0)
    final = peak * draw.uniform(0.1, 0.3)
    rate = rates_of(learning_rate, peak, final, warmup, steps)
    check_warmup(rate(range(warmup + 1)), peak, warmup)
    area, name = AREA, named(learning_rate)
    judge(
        area,
        name,
        rate(range(warmup, steps)),
        cosine(peak, final, warmup, steps, range(warmup, steps)),
        "step",
        wrong_decays(peak, final, warmup, steps),
    )
    after = range(steps, 2 * steps - warmup + 1)  # half a turn further, where a cosine would be back at the top
    rates = rate(after)
    if rates.max() > final * 1.001:
        message = f"After the last step the rate rises again, to {rates.max():.3f}: it should stay at {final:.3f}."
        raise CheckFailed(f"{AREA}.rises-after-end", message)
    if not close(rates, torch.full_like(rates, final)):
        message = f"From step {steps} on the rate should stay at its final value {final:.3f}; yours is {rates[-1]:.3f}."
        raise CheckFailed(f"{AREA}.rate-after-end", message)
    check_no_warmup(learning_rate, peak, final, steps)


def check_no_warmup(learning_rate: Function, peak: float, final: float, steps: int) -> None:
    """Raises: CheckFailed unless a schedule without a warm-up starts at its peak."""
    try:
        first = rates_of(learning_rate, peak, final, 0, steps)(range(1))
    except CheckFailed as failure:
        message = f"A schedule without a warm-up (warmup=0) should start at its peak. {failure.message}"
        raise CheckFailed(f"{AREA}.warmup-none", message) from failure
    if not close(first, torch.tensor([peak])):
        message = f"Without a warm-up (warmup=0) step 0 should have the peak {peak:.3f}, not {first[0]:.3f}."
        raise CheckFailed(f"{AREA}.warmup-none", message)


def rates_of(function: Function, peak: float, final: float, warmup: int, steps: int) -> Callable[[range], Tensor]:
    """A function from steps to the student's rates."""

    def rate(which: range) -> Tensor:
        values = [call(AREA, function, step, peak, final, warmup, steps) for step in which]
        return torch.tensor([as_number(named(function), value, "the rate") for value in values], dtype=torch.float64)

    return rate


def cosine(peak: float, final: float, warmup: int, steps: int, which: range) -> Tensor:
    """Half a cosine from `peak` at `warmup` down to `final` at `steps`."""
    done = (torch.tensor(list(which), dtype=torch.float64) - warmup) / (steps - warmup)
    return final + (peak - final) * (1 + (math.pi * done).cos()) / 2


def check_warmup(rates: Tensor, peak: float, warmup: int) -> None:
    """Raises: CheckFailed unless the rates of steps 0 to `warmup` climb from above 0 to the peak in a straight line."""
    steps = torch.arange(1, warmup + 1, dtype=torch.float64)
    # the line may reach the peak at the last step of the warm-up, or at the first one after it
    if any(close(rates[:-1], peak * steps / n) for n in (warmup, warmup + 1)):
        return
    if rates[0] == 0:
        message = "The rate is 0 at step 0, so the first update moves nothing: start the line one step above 0."
        raise CheckFailed(f"{AREA}.warmup-zero", message)
    if close(rates[:-1], torch.full((warmup,), peak)):
        raise CheckFailed(f"{AREA}.warmup-missing", "There is no warm-up: the first steps should climb to the peak.")
    if close(rates.flip(0)[1:], peak * steps / warmup) or rates[0] > rates[-2]:
        raise CheckFailed(f"{AREA}.warmup-backwards", "In the warm-up the rate falls: it should climb to the peak.")
    shown = ", ".join(f"{rate:.3f}" for rate in rates.tolist())
    message = (
        f"The warm-up of {warmup} steps should be a straight line, step + 1 times the rate of step 0, "
        f"that ends at the peak of {peak:.3f}; yours goes {shown}."
    )
    raise CheckFailed(f"{AREA}.warmup-line", message)


def wrong_decays(peak: float, final: float, warmup: int, steps: int) -> list[Mistake]:
    """What the usual mistakes make of the way down."""
    which = range(warmup, steps)
    step = torch.tensor(list(which), dtype=torch.float64)
    done = (step - warmup) / (steps - warmup)
    right = cosine(peak, final, warmup, steps, which)
    back = "The decay runs backwards: it starts at the final rate and climbs. cos(0) is 1 and cos(pi) is -1."
    counted = "The decay must start where the warm-up ends: its progress is (step - warmup) / (steps - warmup)."
    straight = "The way down is a straight line, not half a cosine."
    quarter = (
        "The decay takes another part of the cosine: half a turn, from 0 to pi, goes from the peak to the final rate."
    )
    nothing = "The decay ends at 0: it should end at the final rate."
    added = "The final rate is added on top: the cosine spans the distance from the peak to the final rate."
    return [
        Mistake(f"{AREA}.decay-backwards", back, lambda: peak + final - right),
        Mistake(f"{AREA}.decay-backwards", back, lambda: (peak + final - right).flip(0)),
        Mistake(f"{AREA}.decay-backwards", back, lambda: cosine(final, peak, warmup, steps, which)),
        Mistake(f"{AREA}.decay-progress", counted, lambda: cosine(peak, final, 0, steps, which)),
        Mistake(f"{AREA}.decay-progress", counted, lambda: cosine(peak, final, warmup, steps + warmup, which)),
        Mistake(f"{AREA}.decay-progress", counted, lambda: cosine(peak, final, 0, steps - warmup, which)),
        Mistake(f"{AREA}.decay-straight", straight, lambda: peak + (final - peak) * done),
        Mistake(f"{AREA}.decay-shape", quarter, lambda: final + (peak - final) * (math.pi / 2 * done).cos()),
        Mistake(f"{AREA}.decay-shape", quarter, lambda: final + (peak - final) * (math.pi * done).cos()),
        Mistake(f"{AREA}.decay-shape", quarter, lambda: final + (peak - final) * (1 + (2 * math.pi * done).cos()) / 2),
        Mistake(f"{AREA}.decay-final", nothing, lambda: cosine(peak, 0, warmup, steps, which)),
        Mistake(f"{AREA}.decay-final", nothing, lambda: cosine(peak, 0, warmup, steps, which).clamp(min=final)),
        Mistake(f"{AREA}.decay-final", added, lambda: final + cosine(peak, 0, warmup, steps, which)),
    ]


def check_clip(clip_gradients: Function, seed: int = 0) -> None:
    """All gradients shrink by one factor, and only when they are too long together."""
    n, m, k = sizes(seed, 3)
    gradients = [normal(seed, n, m), None, 0.2 * normal(seed + 1, k), 3 * normal(seed + 2, m)]
    length = math.sqrt(sum(float(g.double().square().sum()) for g in gradients if g is not None))
    clip_once(clip_gradients, gradients, length, 0.4 * length)
    clip_once(clip_gradients, gradients, length, 2.5 * length)


def clip_once(function: Function, gradients: list[Tensor | None], length: float, max_norm: float) -> None:
    """Raises: CheckFailed unless gradients of this length are clipped as they should be."""
    name = named(function)
    parameters = with_gradients(gradients)
    value = call_clip(function, gradients, parameters, max_norm)
    given = [g.double().flatten() for g in gradients if g is not None]
    before = torch.cat(given)
    expected = before * min(1.0, max_norm / length)
    left = [parameter.grad for parameter in parameters if parameter.grad is not None]
    if len(left) != len(given):
        raise CheckFailed(f"{AREA}.grad-none", f"{name} makes or removes gradients: None must stay None.")
    after = torch.cat([gradient.detach().double().flatten() for gradient in left])
    if not close(after, expected):
        judge_clipped(function, after, given, gradients, max_norm)
        name_the_mistake(after, wrong_clips(given, length, max_norm))
        judge(AREA, f"{name} (all gradients end to end)", after, expected, "numbers")
    number = as_number(name, value, "the length before clipping")
    if not math.isclose(number, length, rel_tol=1e-4):
        if math.isclose(number, max_norm, rel_tol=1e-4):
            message = f"{name} returns the length after clipping, which is max_norm by design: return the one before."
            raise CheckFailed(f"{AREA}.norm-after", message)
        message = f"{name} returns {number:.4f}; all gradients as one vector have the length {length:.4f}."
        raise CheckFailed(f"{AREA}.norm", message)


def call_clip(
    function: Function, gradients: list[Tensor | None], parameters: list[nn.Parameter], max_norm: float
) -> object:
    """What the function returns; parameters come as `model.parameters()` hands them over, to be walked through once."""
    try:
        return call(AREA, function, once(parameters), max_norm)
    except CheckFailed as failure:
        try:
            call(AREA, function, with_gradients([g for g in gradients if g is not None]), max_norm)
        except CheckFailed:
            raise failure from None
        if call_works(function, with_gradients(gradients), max_norm):
            raise CheckFailed(f"{AREA}.walked-twice", twice_message(function)) from failure
        message = "A parameter that the loss does not depend on has no gradient (`grad` is None): pass over it. "
        message += failure.message
        raise CheckFailed(f"{AREA}.grad-none", message) from failure


def call_works(function: Function, parameters: list[nn.Parameter], max_norm: float) -> bool:
    """Whether the function runs on a list."""
    try:
        call(AREA, function, parameters, max_norm)
    except CheckFailed:
        return False
    return True


def once(parameters: list[nn.Parameter]) -> Iterator[nn.Parameter]:
    """The parameters as `model.parameters()` gives them."""
    yield from parameters


def with_gradients(gradients: list[Tensor | None]) -> list[nn.Parameter]:
    """Parameters that hold copies of these gradients."""
    parameters = [nn.Parameter(torch.zeros(2) if g is None else torch.zeros_like(g)) for g in gradients]
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = None if gradient is None else gradient.clone()
    return parameters


def twice_message(function: Function) -> str:
    return (
        f"{named(function)} walks through `parameters` twice, and the second time nothing is left: "
        "model.parameters() is an iterator. Make a list of it first."
    )


def judge_clipped(
    function: Function, after: Tensor, given: list[Tensor], gradients: list[Tensor | None], max_norm: float
) -> None:
    """Raises: CheckFailed where nothing changed though it should, saying why."""
    if not close(after, torch.cat(given)):
        return
    listed = with_gradients(gradients)
    call(AREA, function, listed, max_norm)
    again = torch.cat([p.grad.detach().double().flatten() for p in listed if p.grad is not None])
    if not close(again, torch.cat(given)):
        raise CheckFailed(f"{AREA}.walked-twice", twice_message(function))
    message = (
        "The gradients are longer than max_norm and stay as they are. Change them in place, as in "
        "`gradient.mul_(factor)`; `gradient = gradient * factor` only gives a new tensor a name."
    )
    raise CheckFailed(f"{AREA}.not-clipped", message)


def wrong_clips(given: list[Tensor], length: float, max_norm: float) -> list[Mistake]:
    """What the usual mistakes make of these gradients."""
    everything = torch.cat(given)
    norms = [float(gradient.norm()) for gradient in given]
    per = (
        "Each gradient is clipped by itself, which turns the direction of the step: "
        "one factor for all, from the length of all."
    )
    always = "Gradients shorter than max_norm are scaled up to it: only longer ones should change."
    value = "Each number is cut off at max_norm: scale all gradients by one factor instead."
    norm = "The length of all gradients as one vector is the root of the sum of all squares, not {}."

    def scaled(wrong: float) -> Tensor:
        return everything * min(1.0, max_norm / wrong)

    return [
        Mistake(
            f"{AREA}.clip-per-tensor",
            per,
            lambda: torch.cat([g * min(1.0, max_norm / n) for g, n in zip(given, norms, strict=True)]),
        ),
        Mistake(
            f"{AREA}.clip-per-tensor",
            per,
            lambda: torch.cat([g * max_norm / n for g, n in zip(given, norms, strict=True)]),
        ),
        Mistake(f"{AREA}.always-rescales", always, lambda: everything * max_norm / length),
        Mistake(f"{AREA}.clip-by-value", value, lambda: everything.clamp(-max_norm, max_norm)),
        Mistake(f"{AREA}.norm", norm.format("the sum of their lengths"), lambda: scaled(sum(norms))),
        Mistake(f"{AREA}.norm", norm.format("the sum without its root"), lambda: scaled(length**2)),
        Mistake(f"{AREA}.norm", norm.format("the longest of them"), lambda: scaled(max(norms))),
        Mistake(f"{AREA}.norm", norm.format("the sum of their sizes"), lambda: scaled(float(everything.abs().sum()))),
        Mistake(f"{AREA}.clip-to-one", "The length becomes 1, not max_norm.", lambda: everything / length),
    ]
