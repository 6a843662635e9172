"""Small experiments on the microworld, each scored against the truth: one row of plain values for each try."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from llmcourse.finetune.assistant import kept_back
from llmcourse.finetune.examples import ExampleBatches, accuracy
from llmcourse.finetune.lookup import lookup_exam, lookup_lessons, questions_kept_back, register
from llmcourse.finetune.sft import answers, encode_chat, sft_batch
from llmcourse.finetune.specials import with_specials
from llmcourse.finetune.tag import (
    SpanScore,
    find_by_word,
    find_entities,
    score_entities,
    tag_batches,
    tag_names,
    tag_nats,
    tagger,
)
from llmcourse.finetune.tools import TOOL_MARKERS, TOOL_TEMPLATE
from llmcourse.hub import Bundle
from llmcourse.model import Transformer, fused_attend
from llmcourse.training import TrainConfig, train
from llmcourse.world import World
from llmcourse.world.tasks.entities import KINDS

RESULTS = Path(__file__).with_name("results.json")
STARTS = ("at random", "pretrained")
CALLED = ("everybody", "all but those asked about")


def results() -> dict[str, Any]:
    """What `python benchmarks/finetuning.py` found: a list of rows for each experiment, and what it was run on."""
    return json.loads(RESULTS.read_text(encoding="utf-8"))


@dataclass(frozen=True, kw_only=True)
class TagTrial:
    """How entities are learned and found."""

    n_labelled: int = 64
    n_unseen: int = 100
    steps: int = 80
    batch_size: int = 8
    lr: float = 5e-3


def try_tagger(bundle: Bundle, start: str, seed: int, trial: TagTrial | None = None) -> dict[str, Any]:
    """Entities found by an encoder with the base's weights, or with random ones; and by a list of words."""
    trial = trial or TagTrial()
    world, tags = World(bundle.manifest["world_seed"]), tag_names(KINDS)
    labelled = world.task("entities", trial.n_labelled, seed=5)
    unseen = world.task("entities", trial.n_unseen, split="test", seed=6)
    texts, truth = [record.text for record in unseen], [record.spans for record in unseen]
    base, generator = bundle.model, torch.Generator().manual_seed(seed)
    if start == STARTS[0]:
        base = Transformer(base.config, generator=generator)
    model = tagger(base, len(tags), fused_attend, generator)
    config = TrainConfig(steps=trial.steps, lr=trial.lr, warmup=8, optimizer="muon", weight_decay=0.05, seed=seed)
    batches = tag_batches(labelled, bundle.tokenizer, tags, trial.batch_size, seed)
    for _ in train(model, batches, config, objective=tag_nats, progress=False):
        pass
    score = score_entities(find_entities(model, bundle.tokenizer, texts, tags), truth)
    by_word = score_entities(find_by_word(labelled, bundle.tokenizer, texts, tags), truth)
    return {"start": start, "seed": seed, **_rounded(score), "f1_by_word": round(by_word.f1, 4)}


def _rounded(score: SpanScore) -> dict[str, float]:
    return {name: round(getattr(score, name), 4) for name in ("precision", "recall", "f1")}


@dataclass(frozen=True, kw_only=True)
class LookupTrial:
    """How an assistant learns to call the register."""

    n_lessons: int = 3_000
    n_questions: int = 800  # of which those about people kept back are asked
    steps: int = 150
    batch_size: int = 8
    lr: float = 5e-3


def try_lookup(assistant: Bundle, called: str, seed: int, trial: LookupTrial | None = None) -> dict[str, Any]:
    """Facts that no lesson told, asked before and after lessons with calls; `called` says whom these lessons name."""
    trial = trial or LookupTrial()
    world = World(assistant.manifest["world_seed"])
    asked = questions_kept_back(world, trial.n_questions, seed=4)
    by_heart = answers(assistant.model, assistant.tokenizer, [record.text for record in asked])
    model, tokenizer = with_specials(assistant.model, assistant.tokenizer, TOOL_MARKERS, fused_attend)
    absent = kept_back(world) if called == CALLED[1] else ()
    chats = [encode_chat(t, tokenizer, TOOL_TEMPLATE) for t in lookup_lessons(world, trial.n_lessons, 1, absent)]
    config = TrainConfig(steps=trial.steps, lr=trial.lr, warmup=10, optimizer="muon", weight_decay=0.05, seed=seed)
    batches = ExampleBatches(chats, sft_batch, trial.batch_size, seed)
    for _ in train(model, batches, config, progress=False):
        pass
    looked_up = lookup_exam(model, tokenizer, asked, register(world))
    known = accuracy(by_heart, [record.answer for record in asked])
    return {
        "called": called,
        "seed": seed,
        "right_by_heart": known.n_right,
        "right_looked_up": looked_up.n_right,
        "asked": known.n,
    }
