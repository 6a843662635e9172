"""A first model of your own text: the same recipe, but nobody knows its floor."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import torch

from llmcourse.data import NGram, WindowBatches, pad_documents
from llmcourse.hub.bundle import Bundle
from llmcourse.hub.recipes import NGRAM_ORDER, SPECIALS, Recipe, origin
from llmcourse.model import Transformer, fused_attend
from llmcourse.tokenizers import ByteBPE
from llmcourse.training import Evaluation, evaluate, train

HELD_OUT = 0.1  # of a text that comes without a held-out one, from its end
WINDOW = 128  # tokens


@dataclass(frozen=True)
class TextScore:
    """The surprise at the part of a text that was held out."""

    model: Evaluation
    ngram_bits_per_byte: float  # of an n-gram model that counted the rest


def make_from_text(
    recipe: Recipe, text: str, held_out: str | None = None, *, command: str, **options: Any
) -> tuple[Bundle, TextScore]:
    """Trains a model on `text` and scores it on `held_out`; without that, the end of `text` is held out.

    `options` are those of `train`. Raises: ValueError for a text that is too short.
    """
    if held_out is None:
        cut = len(text) - int(HELD_OUT * len(text))
        text, held_out = text[:cut], text[cut:]
    tokenizer = ByteBPE.train([text], recipe.model.vocab_size, SPECIALS)
    ids, held_ids = tokenizer.encode(text), tokenizer.encode(held_out)
    batches = WindowBatches(ids, 2 * recipe.batch_size, WINDOW, recipe.training.seed)
    if len(held_ids) < WINDOW:
        raise ValueError(f"The held-out text has {len(held_ids)} tokens; it needs {WINDOW} or more.")
    config = dataclasses.replace(recipe.model, vocab_size=tokenizer.vocab_size)
    generator = torch.Generator().manual_seed(recipe.training.seed)
    model = Transformer(config, attend=fused_attend, generator=generator)
    tokens = 0
    for record in train(model, batches, recipe.training, **options):
        tokens = record.tokens
    result = score_text(model, ids, held_ids, len(held_out.encode()))
    manifest = {
        **origin(command, recipe, tokens),
        "held_out_bytes": result.model.n_bytes,
        "bits_per_byte": round(result.model.bits_per_byte, 4),
        f"{NGRAM_ORDER}-gram_bits_per_byte": round(result.ngram_bits_per_byte, 4),
    }
    return Bundle(model.eval(), tokenizer, manifest), result


def score_text(model: Transformer, ids: list[int], held_ids: list[int], n_bytes: int) -> TextScore:
    """The model on the held-out ids, window by window, beside an n-gram model that counted `ids`."""
    windows = [held_ids[start : start + WINDOW + 1] for start in range(0, len(held_ids) - 1, WINDOW)]
    batches = [pad_documents(windows[first : first + 16]) for first in range(0, len(windows), 16)]
    ngram = NGram(NGRAM_ORDER, model.config.vocab_size).fit([ids])
    counted = -ngram.log_prob(held_ids, n_given=1) / math.log(2) / n_bytes
    return TextScore(evaluate(model, batches, n_bytes=n_bytes), counted)
