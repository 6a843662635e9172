"""How the models that come with the course are made: everything that decides them, in one place."""

import datetime
import platform
import statistics
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import torch

from llmcourse.data import DocumentBatches, NGram, encode_documents
from llmcourse.hub.bundle import Bundle
from llmcourse.hub.score import Score, score
from llmcourse.hub.watch import Watch, name_ids
from llmcourse.model import Rotary, Transformer, TransformerConfig, fused_attend
from llmcourse.tokenizers import ByteBPE
from llmcourse.training import TrainConfig, train
from llmcourse.world import World

SPECIALS = ("<|end|>", "<|user|>", "<|assistant|>")  # the first one stands before and after every document
NGRAM_ORDER = 5
N_FIRST = 200
N_WATCHED = 100


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A model of the microworld, from the world's seed to the last step."""

    model: TransformerConfig
    training: TrainConfig
    batch_size: int = 8  # documents
    pool: int = 16  # batches that share out their documents by length
    world_seed: int = 0
    n_documents: int = 80_000  # to train on
    n_tokenizer_documents: int = 2_000  # of them, that the tokenizer learns its merges from
    n_test: int = 1_500
    test_seed: int = 1
    context: int = 384  # tokens; a longer document is refused


RECIPES: dict[str, Recipe] = {
    "microworld-small": Recipe(
        model=TransformerConfig(
            vocab_size=2_048,
            d_model=96,
            d_ff=288,
            n_decoder_layers=2,
            n_heads=4,
            position=Rotary(),
            activation="silu",
            gated=True,
            norm="rms",
            bias=False,
            mix_previous=True,
        ),
        training=TrainConfig(
            steps=10_000, lr=1e-2, warmup=50, optimizer="muon", weight_decay=0.05, checkpoint_every=1_000
        ),
    ),
}


def recipe(name: str) -> Recipe:
    """The recipe of that name. Raises: ValueError that lists the known ones."""
    if name not in RECIPES:
        raise ValueError(f"Unknown preset {name!r}; known are: {', '.join(RECIPES)}.")
    return RECIPES[name]


@dataclass(frozen=True)
class Prepared:
    """What a recipe needs before its first step."""

    world: World
    tokenizer: ByteBPE
    documents: list[list[int]]
    batches: DocumentBatches
    model: Transformer


def prepare(recipe: Recipe) -> Prepared:
    """The world's training documents as batches, and a fresh model."""
    world = World(recipe.world_seed)
    texts = [document.text for document in world.documents(recipe.n_documents, split="train")]
    tokenizer = ByteBPE.train(texts[: recipe.n_tokenizer_documents], recipe.model.vocab_size, SPECIALS)
    documents = encode_documents(texts, tokenizer, tokenizer.special_id(SPECIALS[0]), recipe.context)
    generator = torch.Generator().manual_seed(recipe.training.seed)
    return Prepared(
        world,
        tokenizer,
        documents,
        DocumentBatches(documents, recipe.batch_size, recipe.training.seed, recipe.pool),
        Transformer(recipe.model, attend=fused_attend, generator=generator),
    )


def make(recipe: Recipe, *, command: str, **options: Any) -> tuple[Bundle, Score]:
    """Trains a model by its recipe, and scores it on documents that it has not seen.

    `options` are those of `train`: where checkpoints and metrics go, and what to resume from.
    """
    prepared = prepare(recipe)
    watch = watch_of(recipe, prepared)
    tokens = 0
    for record in train(prepared.model, prepared.batches, recipe.training, **options):
        tokens = record.tokens
        watch.look(prepared.model, record)
    result = score_fresh(recipe, prepared)
    manifest = {
        **origin(command, recipe, tokens),
        "world_seed": recipe.world_seed,
        "training_documents": recipe.n_documents,
        **describe(result, recipe),
        "watched": {"n": watch.n_documents, "rows": watch.rows},
    }
    return Bundle(prepared.model.eval(), prepared.tokenizer, manifest), result


def watch_of(recipe: Recipe, prepared: Prepared) -> Watch:
    """An eye on the first of the documents that scores are taken on."""
    tokenizer = prepared.tokenizer
    texts = held_out_texts(prepared.world, N_WATCHED, recipe.test_seed)
    documents = encode_documents(texts, tokenizer, tokenizer.special_id(SPECIALS[0]))
    return Watch(documents, name_ids(prepared.world, tokenizer))


def origin(command: str, recipe: Recipe, tokens: int) -> dict[str, Any]:
    """Where a model comes from, as plain values for its manifest."""
    return {
        "command": command,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "seed": recipe.training.seed,
        "steps": recipe.training.steps,
        "tokens": tokens,
        "batch_size": recipe.batch_size,
        "training": recipe.training.to_dict(),
        "versions": {
            "llmcourse": version("llmcourse"),
            "torch": torch.__version__.split("+")[0],
            "python": platform.python_version(),
        },
    }


def score_fresh(recipe: Recipe, prepared: Prepared) -> Score:
    """The model on test documents, beside an n-gram model that counted what the model was trained on."""
    ngram = NGram(NGRAM_ORDER, recipe.model.vocab_size).fit(prepared.documents, n_given=1)
    texts = held_out_texts(prepared.world, recipe.n_test, recipe.test_seed)
    return score(prepared.model, prepared.tokenizer, prepared.world, texts, ngram)


def held_out_texts(world: World, n: int, seed: int) -> list[str]:
    """The documents that scores are taken on: a stream of the world that no model is trained on."""
    return [document.text for document in world.documents(n, split="test", seed=seed)]


def describe(result: Score, recipe: Recipe) -> dict[str, Any]:
    """A score as plain values for a manifest, all in nats per document.

    The first documents are told apart, so that a test can score them again in seconds.
    """
    first = min(N_FIRST, len(result.floor_nats))
    return {
        "test_documents": len(result.floor_nats),
        "test_seed": recipe.test_seed,
        "nats_per_document": round(result.model.nats_per_document, 4),
        "stderr": round(result.model.stderr, 4),
        "floor": round(result.floor, 4),
        "above_floor": round(result.gap, 4),
        "above_floor_stderr": round(result.gap_stderr, 4),
        f"{NGRAM_ORDER}-gram": round(result.ngram_nats, 4),
        "way_closed": round(result.closed, 4),
        "bits_per_byte": round(result.model.bits_per_byte, 5),
        "first_documents": {
            "n": first,
            "nats_per_document": round(statistics.fmean(result.model.document_nats[:first]), 4),
            "floor": round(statistics.fmean(result.floor_nats[:first]), 4),
        },
    }
