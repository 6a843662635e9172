"""Texts with parts hidden, and what was there: what encoders and encoder-decoders learn from."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from llmcourse.data.batching import IGNORE, Batch, DocumentBatches


@dataclass(frozen=True, kw_only=True)
class Masking:
    """How masked language modelling hides tokens. Raises: ValueError that names the rule, then the value.

    Of the chosen tokens most become `mask_id`, some a random one and some stay, so that a model that reads real text
    without any mask has seen the like. Source: Devlin et al. 2019.
    """

    mask_id: int
    vocab_size: int  # random tokens are drawn below it
    specials: frozenset[int] = frozenset()  # never chosen, and never drawn
    rate: float = 0.15
    masked: float = 0.8  # of those that are chosen
    random: float = 0.1

    def __post_init__(self) -> None:
        if not 0 < self.rate <= 1:
            raise ValueError(f"rate must lie in (0, 1], not {self.rate}.")
        if min(self.masked, self.random) < 0 or self.masked + self.random > 1:
            raise ValueError(f"masked and random are shares of a whole, not {self.masked} and {self.random}.")
        if set(range(self.vocab_size)) <= self.specials | {self.mask_id}:
            raise ValueError(f"All of the {self.vocab_size} tokens are special: no random one can be drawn.")


def mask_tokens(ids: Sequence[int], masking: Masking, chance: random.Random) -> tuple[list[int], list[int]]:
    """What the model reads, and at each chosen place the token that was there, elsewhere `IGNORE`.

    At least one token is chosen. Raises: ValueError where all of them are special.
    """
    places = [place for place, token in enumerate(ids) if token not in masking.specials]
    if not places:
        raise ValueError(f"There is nothing to hide in {list(ids[:8])}: every token is special.")
    inputs, targets = list(ids), [IGNORE] * len(ids)
    for place in chance.sample(places, max(1, round(masking.rate * len(places)))):
        targets[place] = ids[place]
        luck = chance.random()
        if luck < masking.masked:
            inputs[place] = masking.mask_id
        elif luck < masking.masked + masking.random:
            inputs[place] = _ordinary(masking, chance)
    return inputs, targets


def _ordinary(masking: Masking, chance: random.Random) -> int:
    while True:
        token = chance.randrange(masking.vocab_size)
        if token != masking.mask_id and token not in masking.specials:
            return token


@dataclass(frozen=True)
class MaskedBatch(Batch):
    """Documents with tokens hidden; the targets are the hidden tokens. `is_real` is False on padding."""

    is_real: Bool[Tensor, "B T"]


class MaskedBatches:
    """The batches of `documents` with tokens hidden, anew in each epoch; `batch(step)` depends on the step alone."""

    def __init__(self, documents: DocumentBatches, masking: Masking, seed: int = 0) -> None:
        self.documents, self.masking, self.seed = documents, masking, seed

    def __len__(self) -> int:
        """Steps that see every document once."""
        return len(self.documents)

    def batch(self, step: int) -> MaskedBatch:
        """The batch of that step, counted from 0 and without an end."""
        rows = [
            mask_tokens(ids, self.masking, _chance("mask", self.seed, step, row))
            for row, ids in enumerate(self.documents.documents_of(step))
        ]
        inputs, is_real = _padded([read for read, _ in rows])
        targets, _ = _padded([expected for _, expected in rows])
        return MaskedBatch(inputs, targets.masked_fill(~is_real, IGNORE), is_real)


@dataclass(frozen=True, kw_only=True)
class Spans:
    """How span corruption hides stretches of text. Raises: ValueError that names the rule, then the value.

    Each hidden span leaves one sentinel behind, and follows its sentinel in the target.
    Source: Raffel et al. 2020.
    """

    sentinels: tuple[int, ...]  # ids that stand for nothing else, in the order in which they are used
    rate: float = 0.15
    mean_length: float = 3.0

    def __post_init__(self) -> None:
        if not 0 < self.rate < 1:
            raise ValueError(f"rate must lie in (0, 1), not {self.rate}.")
        if self.mean_length < 1:
            raise ValueError(f"mean_length must be at least 1, not {self.mean_length}.")
        if len(set(self.sentinels)) < max(2, len(self.sentinels)):
            raise ValueError(f"Spans need two sentinels or more, all different, not {list(self.sentinels)}.")


def corrupt_spans(ids: Sequence[int], spans: Spans, chance: random.Random) -> tuple[list[int], list[int]]:
    """What the encoder reads, and what the decoder is to write: each hidden span after its sentinel, and a last one.

    Spans never touch, or two sentinels would stand for one hole. At least one token is hidden and one is kept.
    Raises: ValueError for fewer than two ids, or too few sentinels.
    """
    if len(ids) < 2:
        raise ValueError(f"Span corruption needs two tokens or more, one to hide and one to keep, not {len(ids)}.")
    n_hidden = min(max(1, round(spans.rate * len(ids))), len(ids) - 1)
    n_kept = len(ids) - n_hidden
    n_spans = min(max(1, round(n_hidden / spans.mean_length)), n_kept + 1)
    if n_spans >= len(spans.sentinels):
        raise ValueError(
            f"{len(ids)} tokens have {n_spans} spans and need {n_spans + 1} sentinels, not {len(spans.sentinels)}: "
            "give more, or shorten the text."
        )
    hidden = _parts(n_hidden, n_spans, chance)
    # text may begin and end with a span, so the outer two gaps may be empty: each is drawn one longer than it is
    gaps = _parts(n_kept + 2, n_spans + 1, chance)
    gaps[0], gaps[-1] = gaps[0] - 1, gaps[-1] - 1
    source, target, place = list[int](), list[int](), 0
    for sentinel, gap, length in zip(spans.sentinels, gaps, [*hidden, 0], strict=False):
        source += ids[place : place + gap]
        place += gap
        target += [sentinel, *ids[place : place + length]]
        source += [sentinel] if length else []
        place += length
    return source, target


def _parts(total: int, n: int, chance: random.Random) -> list[int]:
    """`total` cut into `n` parts of at least 1, all ways to cut it equally likely."""
    cuts = sorted(chance.sample(range(1, total), n - 1))
    return [end - start for start, end in zip([0, *cuts], [*cuts, total], strict=True)]


@dataclass(frozen=True)
class SpanBatch(Batch):
    """Documents with holes in `source`, and what fills them: `inputs` for the decoder, and the targets after them."""

    source: Int[Tensor, "B S"]
    source_is_real: Bool[Tensor, "B S"]


class SpanBatches:
    """The batches of `documents` with spans hidden, anew in each epoch; `batch(step)` depends on the step alone.

    Documents are as `encode_documents` makes them. The mark at their ends is never hidden; it ends the source, and
    the decoder starts from it.
    """

    def __init__(self, documents: DocumentBatches, spans: Spans, seed: int = 0) -> None:
        self.documents, self.spans, self.seed = documents, spans, seed

    def __len__(self) -> int:
        """Steps that see every document once."""
        return len(self.documents)

    def batch(self, step: int) -> SpanBatch:
        """The batch of that step, counted from 0 and without an end."""
        sources, read, expected = list[list[int]](), list[list[int]](), list[list[int]]()
        for row, (start, *text, end) in enumerate(self.documents.documents_of(step)):
            source, target = corrupt_spans(text, self.spans, _chance("span", self.seed, step, row))
            sources.append([*source, end])
            read.append([start, *target[:-1]])
            expected.append(target)
        inputs, is_real = _padded(read)
        targets, _ = _padded(expected)
        return SpanBatch(inputs, targets.masked_fill(~is_real, IGNORE), *_padded(sources))


def _chance(kind: str, seed: int, step: int, row: int) -> random.Random:
    return random.Random(f"{kind} {seed} {step} {row}")


def _padded(rows: Sequence[Sequence[int]]) -> tuple[Int[Tensor, "B T"], Bool[Tensor, "B T"]]:
    """The rows as one tensor, filled up with zeros on the right, and where they are real."""
    length = max(len(row) for row in rows)
    padded = torch.zeros(len(rows), length, dtype=torch.long)
    is_real = torch.zeros(len(rows), length, dtype=torch.bool)
    for place, row in enumerate(rows):
        padded[place, : len(row)] = torch.tensor(row)
        is_real[place, : len(row)] = True
    return padded, is_real
