"""Short training runs that are compared: what a recipe is, what it is trained on, and a log that keeps each run."""

import json
import math
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from pairs import machine

from llmcourse.data import Batch, WindowBatches, atomic_path, corpora, pad_documents
from llmcourse.model import Learned, Rotary, Transformer, TransformerConfig, fused_attend
from llmcourse.tokenizers import ByteBPE
from llmcourse.training import (
    Objective,
    TrainConfig,
    accumulate_gradients,
    clip_gradients,
    evaluate,
    learning_rate,
    make_optimizer,
    next_token_nats,
)
from llmcourse.world import World

CONTEXT = 128  # tokens
END = "<|end|>"
TICKS = 1_000  # a run's budget is cut into so many parts, and its schedule counts them instead of steps


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """All that decides a run but its text, its seed and how long it may take."""

    model: TransformerConfig  # whose vocabulary the text decides
    training: TrainConfig
    batch_size: int = 16  # windows


@dataclass(frozen=True)
class Text:
    """What is trained on, as ids, and what is held out, by name: its ids and how many bytes they stand for."""

    train: torch.Tensor
    held_out: dict[str, tuple[list[int], int]]
    vocab_size: int


def gpt2_recipe(lr: float = 3e-3, **sizes: int) -> Recipe:
    """GPT-2's layers and the optimiser that is usual for them. Sizes are those of the model."""
    shape = {"d_model": 128, "d_ff": 4 * 128, "n_decoder_layers": 4, "n_heads": 4} | sizes
    model = TransformerConfig(vocab_size=1, position=Learned(CONTEXT), activation="gelu_tanh", **shape)
    return Recipe(model=model, training=TrainConfig(steps=TICKS, lr=lr, warmup=TICKS // 20))


def our_recipe(lr: float = 1e-2, batch_size: int = 4, **sizes: int) -> Recipe:
    """The course's own: Muon and small batches; gates, rotary positions, a share of the vector before, slim layers."""
    shape = {"d_model": 128, "d_ff": 2 * 128, "n_decoder_layers": 4, "n_heads": 4, "n_kv_heads": 2} | sizes
    model = TransformerConfig(
        vocab_size=1,
        position=Rotary(),
        activation="silu",
        gated=True,
        norm="rms",
        bias=False,
        mix_previous=True,
        tie_embeddings=False,
        **shape,
    )
    training = TrainConfig(steps=TICKS, lr=lr, warmup=TICKS // 100, optimizer="muon", weight_decay=0.05)
    return Recipe(model=model, training=training, batch_size=batch_size)


def as_text(train: Sequence[str], held_out: dict[str, Sequence[str]], n_vocab: int, n_learn: int = 1_000_000) -> Text:
    """Documents as ids, each with its end after it; the tokenizer learns from the first `n_learn` characters."""
    tokenizer = ByteBPE.train(["\n".join(train)[:n_learn]], n_vocab, (END,))
    end = tokenizer.special_id(END)

    def encode(texts: Sequence[str]) -> list[int]:
        return [end] + [token for text in texts for token in [*tokenizer.encode(text), end]]

    held = {name: (encode(texts), sum(len(text.encode()) for text in texts)) for name, texts in held_out.items()}
    return Text(torch.tensor(encode(train)), held, tokenizer.vocab_size)


def real_text(n_vocab: int = 512, split: str = "test", n_train: int = 1_500_000, n_held_out: int = 75_000) -> Text:
    """Python's own help, and files of its standard library: about so many characters to train on and to hold out.

    English is all the help there is; files fill the rest. Files of one split are in no other.
    """
    help_topics = list(corpora.load("stdlib-docs", "train").texts)
    code = first_of(corpora.load("stdlib-code", "train").texts, n_train - sum(map(len, help_topics)))
    held = {
        "English": first_of(corpora.load("stdlib-docs", split).texts, n_held_out),
        "Python": first_of(corpora.load("stdlib-code", split).texts, n_held_out),
    }
    mixed = sorted([*help_topics, *code], key=len)
    return as_text([text for half in (mixed[::2], mixed[1::2]) for text in half], held, n_vocab)


def microworld(n_vocab: int = 512, n_train: int = 3_000, n_held_out: int = 200) -> Text:
    """So many documents of the microworld."""
    world = World(0)
    held = [document.text for document in world.documents(n_held_out, split="test", seed=1)]
    return as_text([document.text for document in world.documents(n_train, split="train")], {"stories": held}, n_vocab)


def first_of(texts: Sequence[str], n_characters: int) -> list[str]:
    """The texts from the first on, until they hold so many characters; of the last one only its beginning is kept."""
    kept = []
    for text in texts:
        if n_characters <= 0:
            break
        kept.append(text[:n_characters])
        n_characters -= len(text)
    return kept


def train_for(
    seconds: float, recipe: Recipe, text: Text, seed: int, clock: Callable[[], float] = time.process_time
) -> tuple[Transformer, dict[str, Any]]:
    """A model trained by the recipe for so many seconds by the clock, and what that came to."""
    generator = torch.Generator().manual_seed(seed)
    model = Transformer(replace(recipe.model, vocab_size=text.vocab_size), fused_attend, generator)
    batches = WindowBatches(text.train, recipe.batch_size, CONTEXT, seed)
    steps, tokens, spent = train_by_clock(model, batches.batch, recipe.training, seconds, clock)
    n_parameters = sum(weight.numel() for weight in model.parameters())
    return model, {"steps": steps, "tokens": tokens, "parameters": n_parameters, "seconds": round(spent, 2)}


def train_by_clock(
    model: torch.nn.Module,
    batch_of: Callable[[int], Batch],
    training: TrainConfig,
    seconds: float,
    clock: Callable[[], float] = time.process_time,
    objective: Objective = next_token_nats,
) -> tuple[int, int, float]:
    """Trains in place for so many seconds; the steps and tokens that came to, and the seconds it really took.

    The schedule follows the clock, not the steps, so that every run ends its schedule however fast its steps are.
    """
    optimizer = make_optimizer(model, training)
    steps = tokens = 0
    started = clock()
    while (spent := clock() - started) < seconds:
        lr = learning_rate(int(spent / seconds * TICKS), training)
        for group in optimizer.param_groups:
            group["lr"] = lr
        optimizer.zero_grad(set_to_none=True)
        tokens += accumulate_gradients(model, [batch_of(steps)], objective)[1]
        clip_gradients(model.parameters(), training.clip)
        optimizer.step()
        steps += 1
    return steps, tokens, spent


def bits_per_byte(model: Transformer, ids: Sequence[int], n_bytes: int) -> float:
    """The model's surprise at the ids, window by window; infinite where it is no number."""
    windows = [ids[start : start + CONTEXT + 1] for start in range(0, len(ids) - 1, CONTEXT)]
    batches: list[Batch] = [pad_documents(windows[first : first + 16]) for first in range(0, len(windows), 16)]
    bits = evaluate(model, batches, n_bytes=n_bytes).bits_per_byte
    return bits if math.isfinite(bits) else math.inf


def run_cell(
    seconds: float, recipe: Recipe, text: Text, seed: int, clock: Callable[[], float] = time.process_time
) -> dict[str, Any]:
    """One run, scored on each held-out text: plain values for the log."""
    model, spent = train_for(seconds, recipe, text, seed, clock)
    scores = {name: round(bits_per_byte(model, *held), 4) for name, held in text.held_out.items()}
    return {"seed": seed, **spent, "bits_per_byte": scores}


def setting(seconds: float) -> dict[str, Any]:
    """What all runs of a log have in common."""
    return {
        "seconds": seconds,
        "machine": machine(),
        "python": platform.python_version(),
        "torch": torch.__version__.split("+")[0],
    }


def in_words(about: Mapping[str, Any]) -> str:
    """The setting as a line above a table."""
    return (
        f"{about['machine']}, Python {about['python']}, torch {about['torch']}; {about['seconds']:g} s of processor "
        "time a run, one thread; bits per byte"
    )


@dataclass
class Log:
    """Runs that are done, kept as JSON beside the script: a run that is in the log is not done again."""

    path: Path
    here: dict[str, Any]  # the setting of runs that are done now
    about: dict[str, Any] = field(default_factory=dict)  # and of those in the log
    cells: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.about = self.here
        with suppress(FileNotFoundError):
            kept = json.loads(self.path.read_text(encoding="utf-8"))
            self.about, self.cells = kept["about"], kept["cells"]

    def missing(self, keys: Sequence[str]) -> list[str]:
        """The runs still to be done, in order. Raises: ValueError where the log tells of another setting."""
        left = [key for key in keys if key not in self.cells]
        if left and self.about != self.here:
            raise ValueError(f"{self.path} tells of another setting, {self.about}: move it away to start anew.")
        return left

    def keep(self, key: str, cell: dict[str, Any]) -> None:
        """Adds a run and writes the log whole."""
        self.cells[key] = cell
        lines = ",\n".join(f"    {json.dumps(name)}: {json.dumps(value)}" for name, value in self.cells.items())
        text = f'{{\n  "about": {json.dumps(self.about)},\n  "cells": {{\n{lines}\n  }}\n}}\n'
        with atomic_path(self.path) as scratch:
            scratch.write_text(text, encoding="utf-8")
