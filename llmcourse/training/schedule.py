"""How large each step may be: the learning rate as a plain function of the step."""

import math
from collections.abc import Callable

from llmcourse.training.config import ScheduleKind, TrainConfig


def warmup(step: int, config: TrainConfig) -> float:
    """The share of the full rate that the warm-up allows: a straight line that ends at 1, and never 0.

    `step` counts from 0, so the first update already moves the weights.
    """
    return min(1.0, (step + 1) / (config.warmup + 1))


def warmup_cosine(step: int, config: TrainConfig) -> float:
    """Up in a straight line, then down half a cosine, to `final_lr` at the end and after it.

    Source: Loshchilov & Hutter 2017, section 3, without restarts.
    """
    if step < config.warmup:
        return config.lr * warmup(step, config)
    done = (step - config.warmup) / max(1, config.steps - config.warmup)
    return config.final_lr + (config.lr - config.final_lr) * (1 + math.cos(math.pi * min(1.0, done))) / 2


def warmup_linear(step: int, config: TrainConfig) -> float:
    """Up in a straight line, then down in another, to `final_lr` at the end and after it.

    Source: Devlin et al. 2019, who trained BERT so.
    """
    if step < config.warmup:
        return config.lr * warmup(step, config)
    done = (step - config.warmup) / max(1, config.steps - config.warmup)
    return config.final_lr + (config.lr - config.final_lr) * (1 - min(1.0, done))


def warmup_trapezoid(step: int, config: TrainConfig) -> float:
    """Up in a straight line, level, then down in a straight line for the last `cooldown` of all steps.

    The level part fits runs whose length is not known yet. Source: Hägele et al. 2024, section 3.
    """
    left = (config.steps - step) / max(1.0, config.cooldown * config.steps)
    level = min(warmup(step, config), max(0.0, left), 1.0)
    return max(config.final_lr, config.lr * level)


def warmup_constant(step: int, config: TrainConfig) -> float:
    """Up in a straight line, then level."""
    return config.lr * warmup(step, config)


SCHEDULES: dict[ScheduleKind, Callable[[int, TrainConfig], float]] = {
    "cosine": warmup_cosine,
    "linear": warmup_linear,
    "trapezoid": warmup_trapezoid,
    "constant": warmup_constant,
}


def learning_rate(step: int, config: TrainConfig) -> float:
    """The learning rate of the update with that number, counted from 0."""
    return SCHEDULES[config.schedule](step, config)
