"""Labels for words: which words of a text are entities, and of what kind."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from llmcourse.data import IGNORE, Batch
from llmcourse.finetune.classify import encode_start
from llmcourse.finetune.examples import ExampleBatches, pad_right
from llmcourse.model import Transformer
from llmcourse.model.attention import Attend
from llmcourse.tokenizers import ByteBPE
from llmcourse.tokenizers.pretokenize import pretokenize
from llmcourse.training import evaluation_mode, token_nats
from llmcourse.world import EntityRecord, Span

NONE = "O"


@dataclass(frozen=True)
class TagBatch(Batch):
    """Texts whose targets are the tags of words; `is_real` is False on padding."""

    is_real: Bool[Tensor, "B T"]


@dataclass(frozen=True)
class Word:
    """A stretch of a text that gets one tag: its characters, and the place of its first token."""

    start: int
    end: int
    token: int


@dataclass(frozen=True)
class TagExample:
    """A text's tokens, and each one's tag: a word's first token has the word's, the others have none."""

    ids: tuple[int, ...]
    tags: tuple[int, ...]


def tag_names(kinds: Sequence[str]) -> list[str]:
    """`O` for words that are no entity, and for each kind `B-`, which opens an entity, and `I-`, which goes on."""
    return [NONE, *(f"{place}-{kind}" for kind in kinds for place in "BI")]


def words_of(text: str, tokenizer: ByteBPE) -> list[Word]:
    """The pieces of a text that no token crosses, without the space before them: words, numbers, punctuation."""
    words, character, token = [], 0, 1  # token 0 stands before the text
    for piece in pretokenize(text, tokenizer.pattern):
        end = character + len(piece)
        words.append(Word(end - len(piece.lstrip()), end, token))
        character, token = end, token + len(tokenizer.encode(piece))
    return words


def encode_tags(record: EntityRecord, tokenizer: ByteBPE, tags: Sequence[str]) -> TagExample:
    """The record as tokens with tags. Raises: ValueError for a kind without a tag, or an entity that cuts a word."""
    words = words_of(record.text, tokenizer)
    ids = encode_start(record.text, tokenizer)
    numbers = [IGNORE] * len(ids)
    for word in words:
        numbers[word.token] = 0
    for span in record.spans:
        if f"B-{span.kind}" not in tags:
            raise ValueError(f"Tags are {', '.join(tags)}: there is none for the kind {span.kind!r}.")
        inside = [word for word in words if span.start <= word.start and word.end <= span.end]
        if not inside or (inside[0].start, inside[-1].end) != (span.start, span.end):
            raise ValueError(f"The entity {span.of(record.text)!r} must begin and end where words do.")
        for word in inside:
            numbers[word.token] = tags.index(f"{'B' if word is inside[0] else 'I'}-{span.kind}")
    return TagExample(tuple(ids), tuple(numbers))


def tag_batch(examples: Sequence[TagExample]) -> TagBatch:
    """Texts and tags, padded on the right."""
    lengths = torch.tensor([len(example.ids) for example in examples])
    inputs = pad_right([example.ids for example in examples], 0)
    is_real = torch.arange(inputs.shape[1]) < lengths[:, None]
    return TagBatch(inputs, pad_right([example.tags for example in examples], IGNORE), is_real)


def tag_batches(
    records: Sequence[EntityRecord], tokenizer: ByteBPE, tags: Sequence[str], batch_size: int = 16, seed: int = 0
) -> ExampleBatches[TagExample]:
    """Batches of the records. Raises: ValueError as `encode_tags`."""
    return ExampleBatches([encode_tags(r, tokenizer, tags) for r in records], tag_batch, batch_size, seed)


def tag_nats(model: nn.Module, batch: Batch) -> Float[Tensor, "B T"]:
    """What training for tags minimises: the surprise at each word's tag, in nats. Pass it as `objective`.

    Raises: ValueError for a batch that `tag_batch` did not make, since an encoder must not read its padding.
    """
    if not isinstance(batch, TagBatch):
        raise ValueError(f"tag_nats needs what tag_batch gives, not a {type(batch).__name__}.")
    return token_nats(model(batch.inputs, is_real=batch.is_real), batch.targets)


def tagger(
    base: Transformer, n_tags: int, attend: Attend | None = None, generator: torch.Generator | None = None
) -> Transformer:
    """An encoder that scores tags, with a new head on a copy of the layers of `base`, a decoder or an encoder.

    A decoder's layers do the same work in an encoder, but now each token reads those behind it too.
    Raises: ValueError for a base of two stacks.
    """
    config = base.config
    if config.has_cross_attention:
        raise ValueError("A tagger needs a base of one stack, an encoder or a decoder, not both.")
    n_layers = config.n_encoder_layers + config.n_decoder_layers
    ours = replace(config, n_encoder_layers=n_layers, n_decoder_layers=0, head="classify_tokens", n_labels=n_tags)
    model = Transformer(ours, attend=attend, generator=generator)
    own = model.state_dict()
    weights = {name.replace("decoder.", "encoder.", 1): weight for name, weight in base.state_dict().items()}
    model.load_state_dict(own | {name: weights[name] for name in own if not name.startswith("head.")})
    return model.train(base.training)


def find_entities(
    model: nn.Module, tokenizer: ByteBPE, texts: Sequence[str], tags: Sequence[str], batch_size: int = 16
) -> list[tuple[Span, ...]]:
    """The entities of each text, by the likeliest tag of each word, with dropout off."""
    found = []
    with evaluation_mode(model), torch.no_grad():
        for first in range(0, len(texts), batch_size):
            part = texts[first : first + batch_size]
            batch = tag_batch([TagExample((ids := tuple(encode_start(text, tokenizer))), ids) for text in part])
            likeliest = model(batch.inputs, is_real=batch.is_real).argmax(dim=-1).tolist()
            for text, numbers in zip(part, likeliest, strict=True):
                words = words_of(text, tokenizer)
                found.append(entities_of(words, [tags[numbers[word.token]] for word in words]))
    return found


def find_by_word(
    records: Sequence[EntityRecord], tokenizer: ByteBPE, texts: Sequence[str], tags: Sequence[str]
) -> list[tuple[Span, ...]]:
    """The entities of each text by the commonest tag of each word in `records`: a baseline without any network."""
    seen: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for record in records:
        numbers = encode_tags(record, tokenizer, tags).tags
        for word in words_of(record.text, tokenizer):
            seen[record.text[word.start : word.end]][numbers[word.token]] += 1
    commonest = {word: tags[counts.most_common(1)[0][0]] for word, counts in seen.items()}
    found = []
    for text in texts:
        words = words_of(text, tokenizer)
        found.append(entities_of(words, [commonest.get(text[word.start : word.end], NONE) for word in words]))
    return found


def entities_of(words: Sequence[Word], tags: Sequence[str]) -> tuple[Span, ...]:
    """The entities that the tags of words spell; an `I-` that follows nothing of its kind opens one."""
    found: list[Span] = []
    before = NONE
    for word, tag in zip(words, tags, strict=True):
        place, _, kind = tag.partition("-")
        if place == "I" and before.endswith(f"-{kind}"):
            found[-1] = Span(found[-1].start, word.end, kind)
        elif tag != NONE:
            found.append(Span(word.start, word.end, kind))
        before = tag
    return tuple(found)


@dataclass(frozen=True)
class SpanScore:
    """How many of the entities found are true: the same characters, and the same kind."""

    n_right: int
    n_found: int
    n_true: int

    @property
    def precision(self) -> float:
        """The share of those found that are true."""
        return self.n_right / self.n_found if self.n_found else 0.0

    @property
    def recall(self) -> float:
        """The share of the true ones that were found."""
        return self.n_right / self.n_true if self.n_true else 0.0

    @property
    def f1(self) -> float:
        """The harmonic mean of both."""
        total = self.n_found + self.n_true
        return 2 * self.n_right / total if total else 0.0


def score_entities(found: Sequence[Sequence[Span]], true: Sequence[Sequence[Span]]) -> SpanScore:
    """The entities found, text by text, against the true ones. Raises: ValueError for another number of texts."""
    if len(found) != len(true):
        raise ValueError(f"Each text needs its true entities: {len(found)} texts, {len(true)} with the truth.")
    n_right = sum(len(set(ours) & set(truth)) for ours, truth in zip(found, true, strict=True))
    return SpanScore(n_right, sum(map(len, found)), sum(map(len, true)))
