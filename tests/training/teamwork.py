"""A run that `torchrun` starts in two processes, for the tests: python -m tests.training.teamwork OUT CHOICES."""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import torch

from llmcourse.data import DocumentBatches
from llmcourse.model import Rotary, Transformer, TransformerConfig
from llmcourse.training import (
    LostProcess,
    TrainConfig,
    fused_next_token_nats,
    next_token_nats,
    team_from_environment,
    train,
    whole,
)
from tests.training.runs import DOCUMENTS, V

CONFIG = TransformerConfig(vocab_size=V, d_model=8, d_ff=12, n_decoder_layers=2, n_heads=2, position=Rotary())


def model() -> Transformer:
    return Transformer(CONFIG, generator=torch.Generator().manual_seed(3))


def batches() -> DocumentBatches:
    return DocumentBatches(DOCUMENTS, 3, seed=5)  # three rows for two processes, of uneven length


def recipe(**fields: Any) -> TrainConfig:
    return TrainConfig(**{"steps": 8, "warmup": 2, "lr": 0.02, "accumulate": 2, "checkpoint_every": 3, **fields})


def main(
    out: Path,
    sharded: bool = False,
    lose_at: int | None = None,
    resume: bool = False,
    fused: bool = False,
    **fields: Any,
) -> None:
    """Trains, writes the weights at the end, and loses the second process at a step."""
    checkpoint = out / "run.pt"
    with team_from_environment(sharded) as team:
        ours = model()
        if not team.is_first:  # which the team puts right
            torch.nn.init.zeros_(ours.tokens.weight)
        options = {"checkpoint_path": checkpoint, "resume_from": checkpoint if resume else None}
        options["objective"] = fused_next_token_nats if fused else next_token_nats
        run = train(
            ours, batches(), recipe(**fields), team=team, metrics_path=out / "run.jsonl", progress=False, **options
        )
        try:
            for record in run:
                if record.step == lose_at and not team.is_first:
                    os.kill(os.getpid(), signal.SIGKILL)
        except LostProcess as error:
            (out / f"lost-{team.rank}.txt").write_text(str(error), encoding="utf-8")
            raise
        weights = whole(ours.state_dict())
        torch.save(weights, out / f"weights-{team.rank}.pt")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]), **json.loads(sys.argv[2]))
