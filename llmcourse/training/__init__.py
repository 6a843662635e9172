"""The training loop and its parts: loss, schedule, optimisers, evaluation and checkpoints."""

from llmcourse.training.checkpoint import Checkpoint, load_checkpoint, restore_model, save_checkpoint
from llmcourse.training.config import TrainConfig
from llmcourse.training.evaluate import Evaluation, evaluate, evaluation_mode
from llmcourse.training.loop import NonFiniteLoss, StepRecord, accumulate_gradients, train
from llmcourse.training.loss import Objective, cross_entropy, next_token_nats, token_nats
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
    "Muon",
    "NonFiniteLoss",
    "Objective",
    "StepRecord",
    "TrainConfig",
    "accumulate_gradients",
    "clip_gradients",
    "cross_entropy",
    "evaluate",
    "evaluation_mode",
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
    "token_nats",
    "train",
    "warmup_constant",
    "warmup_cosine",
    "warmup_linear",
    "warmup_trapezoid",
]
