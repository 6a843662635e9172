"""What tuning gains and what it costs: right answers, and nats that the model's own stories become dearer by."""

import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from llmcourse.data import encode_documents, in_order
from llmcourse.finetune.assistant import END, exam, lessons
from llmcourse.finetune.examples import ExampleBatches
from llmcourse.finetune.lora import LoraConfig, add_lora
from llmcourse.finetune.prompt import PromptModel
from llmcourse.finetune.sft import encode_chat, sft_batch
from llmcourse.hub import Bundle
from llmcourse.training import TrainConfig, evaluate, train
from llmcourse.world import World

N_VECTORS = 16
LORA = LoraConfig(rank=4, alpha=8.0, layers=("*.query", "*.key", "*.value", "*.output", "*.up", "*.gate", "*.down"))
LR = {"all weights": 5e-3, "LoRA": 1e-2, "prompt": 3e-1}  # the best of three each, in right answers
SLOWER_LR = {"all weights": 2e-3, "LoRA": 3e-3}  # the lowest of the three, at which both get about as much right
WAYS = tuple(LR)


@dataclass(frozen=True, kw_only=True)
class Trial:
    """How each way of tuning is tried: the same lessons in the same order, and the same exam after them."""

    steps: int = 120
    batch_size: int = 4
    n_lessons: int = 480
    lesson_seed: int = 8
    n_exam: int = 120
    n_stories: int = 60
    exam_seed: int = 2


def prepare(base: nn.Module, way: str, generator: torch.Generator) -> nn.Module:
    """A copy of the base in which that way's weights learn, and no others. Raises: ValueError for an unknown way."""
    model: Any = copy.deepcopy(base)
    match way:
        case "all weights":
            return model
        case "LoRA":
            add_lora(model, LORA, generator)
            return model
        case "prompt":
            return PromptModel(model, N_VECTORS, generator)
    raise ValueError(f"Ways to tune are {', '.join(WAYS)}: {way!r} is not one.")


def n_trained(model: nn.Module) -> int:
    """How many numbers learn."""
    return sum(weight.numel() for weight in model.parameters() if weight.requires_grad)


def above_floor(model: nn.Module, bundle: Bundle, n: int, seed: int) -> float:
    """What an unseen story costs the model above what it costs the world itself, in nats."""
    world = World(bundle.manifest["world_seed"])
    texts = [document.text for document in world.documents(n, split="test", seed=seed)]
    documents = encode_documents(texts, bundle.tokenizer, bundle.tokenizer.special_id(END))
    return evaluate(model, in_order(documents, 16)).nats_per_document - world.floor(texts).nats_per_document


def tune(bundle: Bundle, way: str, seed: int, trial: Trial, lr: float | None = None) -> nn.Module:
    """The model after its lessons; the seed decides the start of new weights and the order of the lessons."""
    model = prepare(bundle.model, way, torch.Generator().manual_seed(seed))
    world = World(bundle.manifest["world_seed"])
    chats = [encode_chat(turns, bundle.tokenizer) for turns in lessons(world, trial.n_lessons, trial.lesson_seed)]
    config = TrainConfig(
        steps=trial.steps,
        lr=LR[way] if lr is None else lr,
        warmup=10,
        optimizer="muon" if way == "all weights" else "adamw",
        weight_decay=0.05 if way == "all weights" else 0.0,
        seed=seed,
    )
    for _ in train(model, ExampleBatches(chats, sft_batch, trial.batch_size, seed), config, progress=False):
        pass
    return model


def try_way(bundle: Bundle, way: str, seed: int, trial: Trial | None = None, lr: float | None = None) -> dict[str, Any]:
    """One row of the comparison, in plain values: what was trained, what it got right, and what it forgot."""
    trial = trial or Trial()
    model = tune(bundle, way, seed, trial, lr)
    world = World(bundle.manifest["world_seed"])
    asked = world.task("instructions", trial.n_exam, split="test", seed=trial.exam_seed)
    results = exam(model, bundle.tokenizer, asked)
    return {
        "way": way,
        "seed": seed,
        "parameters": n_trained(model),
        "right": sum(result.n_right for result in results.values()),
        "asked": trial.n_exam,
        "above_floor": round(above_floor(model, bundle, trial.n_stories, trial.exam_seed), 3),
    }
