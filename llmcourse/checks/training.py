"""Checks of training, from documents to the loop: what each step of it must do, and which mistake yours makes."""

from llmcourse.checks.batches import check_split, check_windows
from llmcourse.checks.loops import check_train
from llmcourse.checks.losses import check_evaluate, check_loss
from llmcourse.checks.optimisation import check_clip, check_schedule
from llmcourse.checks.steps import check_step

__all__ = [
    "check_clip",
    "check_evaluate",
    "check_loss",
    "check_schedule",
    "check_split",
    "check_step",
    "check_train",
    "check_windows",
]
