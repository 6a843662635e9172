"""The training loop and its parts: loss, schedule, optimisers, evaluation and checkpoints."""

from llmcourse.training.checkpoint import Checkpoint, load_checkpoint, restore_model, save_checkpoint
from llmcourse.training.config import TrainConfig
from llmcourse.training.distributed import LostProcess, Team, team_from_environment, whole
from llmcourse.training.evaluate import Evaluation, evaluate, evaluation_mode
from llmcourse.training.fused import fused_next_token_nats
from llmcourse.training.loop import NonFiniteLoss, NotSaved, StepRecord, accumulate_gradients, train
from llmcourse.training.loss import Objective, cross_entropy, next_token_nats, token_nats
from llmcourse.training.machine import choose_device
from llmcourse.training.objectives import masked_nats, span_nats
from llmcourse.training.optim import Muon, clip_gradients, hidden_matrices, make_optimizer, orthogonalise
from llmcourse.training.schedule import (
    learning_rate,
    warmup_constant,
    warmup_cosine,
    warmup_linear,
    warmup_trapezoid,
)

__all__ = [
    "Checkpoint",
    "Evaluation",
    "LostProcess",
    "Muon",
    "NonFiniteLoss",
    "NotSaved",
    "Objective",
    "StepRecord",
    "Team",
    "TrainConfig",
    "accumulate_gradients",
    "choose_device",
    "clip_gradients",
    "cross_entropy",
    "evaluate",
    "evaluation_mode",
    "fused_next_token_nats",
    "hidden_matrices",
    "learning_rate",
    "load_checkpoint",
    "make_optimizer",
    "masked_nats",
    "next_token_nats",
    "orthogonalise",
    "restore_model",
    "save_checkpoint",
    "span_nats",
    "team_from_environment",
    "token_nats",
    "train",
    "warmup_constant",
    "warmup_cosine",
    "warmup_linear",
    "warmup_trapezoid",
    "whole",
]
