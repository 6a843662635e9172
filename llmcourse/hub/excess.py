"""Where a model of the microworld still loses nats: word by word, beside what the world itself pays."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from llmcourse.tokenizers import ByteBPE
from llmcourse.training import evaluation_mode
from llmcourse.world import World
from llmcourse.world.template import number_word

KINDS = ("new names", "repeated names", "numbers", "pronouns", "other choices", "certain words")
PRONOUNS = frozenset(("he", "she", "him", "her", "his", "hers", "himself", "herself"))
NUMBERS = frozenset(part for n in range(1, 100) for part in number_word(n).split("-"))
CERTAIN = 0.99  # a word at least this likely is no choice


@dataclass(frozen=True)
class WordSurprise:
    """What one word of a story costs the model and the world, in nats; the word "" is the story's end."""

    word: str
    kind: str  # one of KINDS
    model: float
    truth: float


def word_surprises(model: nn.Module, tokenizer: ByteBPE, world: World, text: str) -> list[WordSurprise]:
    """Each word of a story of the world, and its end, in order; together they make the story's surprise."""
    words = [*text.split(" "), ""]
    truths = [world.next_word_probs(" ".join(words[:place]))[word] for place, word in enumerate(words)]
    kinds = _kinds(world, words, truths)
    costs = _model_nats(model, tokenizer, text)
    return [
        WordSurprise(word, kind, cost, -math.log(truth))
        for word, kind, cost, truth in zip(words, kinds, costs, truths, strict=True)
    ]


@dataclass(frozen=True)
class Share:
    """One kind of word in an average story: how many there are, and what they cost, in nats."""

    words: float
    model: float
    truth: float

    @property
    def excess(self) -> float:
        """Nats that a perfect model would not pay."""
        return self.model - self.truth


def shares(model: nn.Module, tokenizer: ByteBPE, world: World, texts: Sequence[str]) -> dict[str, Share]:
    """The surprise of an average one of `texts`, parted by kind of word, in the order of KINDS.

    Raises: ValueError for no texts.
    """
    if not texts:
        raise ValueError("Shares of the surprise need at least one text.")
    found = [each for text in texts for each in word_surprises(model, tokenizer, world, text)]
    parts = {kind: [each for each in found if each.kind == kind] for kind in KINDS}
    n = len(texts)
    return {
        kind: Share(len(part) / n, sum(each.model for each in part) / n, sum(each.truth for each in part) / n)
        for kind, part in parts.items()
    }


def _kinds(world: World, words: Sequence[str], truths: Sequence[float]) -> Iterator[str]:
    names, seen = {person.name for person in world.people}, set[str]()
    for word, truth in zip(words, truths, strict=True):
        bare = word.strip('.,:;!?"').removesuffix("'s")
        if bare in names:
            yield "repeated names" if bare in seen else "new names"
            seen.add(bare)
        elif set(bare.lower().split("-")) <= NUMBERS:
            yield "numbers"
        elif bare.lower() in PRONOUNS:
            yield "pronouns"
        else:
            yield "certain words" if truth >= CERTAIN else "other choices"


def _model_nats(model: nn.Module, tokenizer: ByteBPE, text: str) -> list[float]:
    """The model's surprise at each word and at the end: the sum over the tokens that spell it."""
    words = text.split(" ")
    spelt = [tokenizer.encode(f" {word}" if place else word) for place, word in enumerate(words)]
    end = tokenizer.special_id("<|end|>")
    ids = [end, *(id_ for word in spelt for id_ in word), end]
    assert ids[1:-1] == tokenizer.encode(text), "every word is encoded by itself"
    with evaluation_mode(model), torch.no_grad():
        log_probs = model(torch.tensor([ids[:-1]]))[0].double().log_softmax(dim=-1)
    costs = iter((-log_probs[torch.arange(len(ids) - 1), torch.tensor(ids[1:])]).tolist())
    return [sum(next(costs) for _ in word) for word in (*spelt, [end])]
