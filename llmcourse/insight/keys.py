"""Stories of the key, cut right before a name that the story settles: questions whose answers are known exactly."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from llmcourse.insight.capture import capture_attention
from llmcourse.insight.patching import Pair
from llmcourse.model import Transformer
from llmcourse.tokenizers import ByteBPE
from llmcourse.training import evaluation_mode
from llmcourse.world import World
from llmcourse.world.people import Person

# what comes before the name of the one who was given the key, in the words of the world's plot
ASKS = re.compile(r'"I gave it to |"Not me," said \w+\. "Ask |\w+ whispered the name of ')
END = "<|end|>"


@dataclass(frozen=True)
class KeyPrompt:
    """The beginning of a story, and the person whose name must come next."""

    text: str
    answer: Person
    named: tuple[Person, ...]  # everybody whom the text names, the answer among them

    def ids(self, tokenizer: ByteBPE) -> list[int]:
        """The prompt as a model reads it: after the mark that every document starts with."""
        return [tokenizer.special_id(END), *tokenizer.encode(self.text)]


def key_prompts(world: World, n: int, seed: int = 0) -> list[KeyPrompt]:
    """The first `n` questions of the world's test stories about a key that was passed on.

    Of each the world itself is asked: after the prompt it gives its answer the probability 1.
    Raises: ValueError for a world that tells nothing of keys.
    """
    if "key" not in world.dials.plots:
        raise ValueError(f"This world tells no stories of a key; its plots are {', '.join(world.dials.plots)}.")
    found: list[KeyPrompt] = []
    n_stories = 2 * n
    while len(found) < n:  # the stream's beginning is the same however much is drawn of it
        n_stories *= 2
        documents = world.documents(n_stories, split="test", seed=seed)
        found = [prompt for document in documents if (prompt := _cut(world, document.text)) is not None]
    return found[:n]


def _cut(world: World, text: str) -> KeyPrompt | None:
    """The story up to the first question that its hand-overs settle, where there is one."""
    asked = ASKS.search(text)
    if asked is None or not re.search(r"\bkey\b", text[: asked.start()]):
        return None
    start = text[: asked.end()].rstrip()
    by_name = {person.name: person for person in world.people}
    word = re.match(r"\w+", text[asked.end() :])
    named = dict.fromkeys(by_name[word] for word in re.findall(r"\w+", start) if word in by_name)
    if word is None or by_name.get(word[0]) not in named:
        return None
    prompt = KeyPrompt(start, by_name[word[0]], tuple(named))
    return prompt if is_told(world, prompt) else None


def exchanged(prompt: KeyPrompt, other: Person) -> KeyPrompt:
    """The same story, told of `other` where it was told of the answer, job included."""
    text = prompt.text.replace(prompt.answer.forms["full"], other.forms["full"])
    text = re.sub(rf"\b{prompt.answer.name}\b", other.name, text)
    named = tuple(other if person is prompt.answer else person for person in prompt.named)
    return KeyPrompt(text, other, named)


def is_told(world: World, prompt: KeyPrompt) -> bool:
    """Whether the world could tell the prompt, and then must go on with its answer."""
    try:
        following = world.next_word_probs(prompt.text)
    except ValueError:  # a habit or a pronoun that is not this person's
        return False
    return {word.rstrip('.,"') for word in following} == {prompt.answer.name}


def key_pairs(world: World, tokenizer: ByteBPE, prompts: Sequence[KeyPrompt]) -> Iterator[Pair]:
    """Each prompt beside one that another person stands in, both told by the world and equally long in tokens.

    A prompt that nobody else fits into is passed over.
    """
    for prompt in prompts:
        for other in world.people:
            if other in prompt.named:
                continue
            twin = exchanged(prompt, other)
            clean, corrupted = prompt.ids(tokenizer), twin.ids(tokenizer)
            if len(clean) == len(corrupted) and is_told(world, twin):
                answers = name_ids(tokenizer, [prompt.answer, other])
                yield Pair(torch.tensor([clean]), torch.tensor([corrupted]), answers[:1], answers[1:])
                break


def name_ids(tokenizer: ByteBPE, people: Sequence[Person]) -> Int[Tensor, " names"]:
    """The token that is each person's name inside a sentence.

    Raises: ValueError for a name that takes several tokens.
    """
    encoded = [tokenizer.encode(f" {person.name}") for person in people]
    for person, ids in zip(people, encoded, strict=True):
        if len(ids) != 1:
            raise ValueError(f"{person.name} is {len(ids)} tokens of this tokenizer; the experiment needs one.")
    return torch.tensor([ids[0] for ids in encoded])


def names_read(
    model: Transformer, ids: Int[Tensor, " T"], names: Int[Tensor, " names"], reach: int = 1
) -> Float[Tensor, "layers H names"]:
    """How much weight the last position's heads give to each name, wherever it stands.

    The `reach` tokens behind a name count as well: where a model mixes neighbours, they hold the name too.
    """
    marks = torch.zeros(len(names), len(ids), dtype=torch.bool)
    for back in range(reach + 1):
        marks[:, back:] |= ids[None, : len(ids) - back] == names[:, None]
    with evaluation_mode(model), torch.no_grad(), capture_attention(model) as weights:
        model(ids[None])
    last = torch.stack([each[0, :, -1] for each in weights])  # layers H T
    return last @ marks.to(last.dtype).T
