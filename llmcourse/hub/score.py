"""A model of the microworld against the truth: how far it is from a model that counts, and from the floor."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from llmcourse.data import NGram, encode_documents, pad_documents
from llmcourse.tokenizers import ByteBPE
from llmcourse.training import Evaluation, evaluate
from llmcourse.world import World


@dataclass(frozen=True)
class Score:
    """The surprise of a model at documents whose probability is known, in nats per document."""

    model: Evaluation
    floor_nats: tuple[float, ...]  # of each document, under the world itself
    ngram_nats: float  # mean, of an n-gram model that counted the training documents

    @property
    def floor(self) -> float:
        return statistics.fmean(self.floor_nats)

    @property
    def gap(self) -> float:
        """How far the model is above the floor; equally, its divergence from the world."""
        return self.model.nats_per_document - self.floor

    @property
    def gap_stderr(self) -> float:
        """Standard error of the gap. Both sides see the same documents, so it is far smaller than either's own."""
        gaps = [ours - truth for ours, truth in zip(self.model.document_nats, self.floor_nats, strict=True)]
        return statistics.stdev(gaps) / math.sqrt(len(gaps)) if len(gaps) > 1 else math.inf

    @property
    def closed(self) -> float:
        """Which share of the way from the n-gram model to the floor is behind the model."""
        return (self.ngram_nats - self.model.nats_per_document) / (self.ngram_nats - self.floor)


def score(
    model: nn.Module, tokenizer: ByteBPE, world: World, texts: Sequence[str], ngram: NGram | None = None
) -> Score:
    """The model's surprise at each text, in the order of the texts, beside what the world says."""
    eos = tokenizer.special_id("<|end|>")
    documents = encode_documents(texts, tokenizer, eos)
    by_length = sorted(range(len(documents)), key=lambda i: len(documents[i]))
    batches = [
        pad_documents([documents[i] for i in by_length[first : first + 16]]) for first in range(0, len(texts), 16)
    ]
    n_bytes = sum(len(text.encode()) for text in texts)
    result = evaluate(model, batches, n_bytes=n_bytes)
    nats = dict(zip(by_length, result.document_nats, strict=True))
    ordered = Evaluation(tuple(nats[i] for i in range(len(texts))), result.n_tokens, n_bytes)
    counted = math.nan if ngram is None else -statistics.fmean(ngram.log_prob(ids, n_given=1) for ids in documents)
    return Score(ordered, tuple(-world.log_prob(text) for text in texts), counted)
