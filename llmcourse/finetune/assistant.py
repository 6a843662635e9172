"""The assistant that comes with the course: chats made from the microworld, the recipe, and the exam."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from llmcourse.data import encode_documents, in_order
from llmcourse.finetune.examples import Accuracy, ExampleBatches, accuracy
from llmcourse.finetune.sft import ChatExample, Turn, answers, chat_of, encode_chat, sft_batch
from llmcourse.hub import Bundle, held_out_texts
from llmcourse.model import Transformer, fused_attend
from llmcourse.tokenizers import ByteBPE
from llmcourse.training import TrainConfig, evaluate, train
from llmcourse.world import InstructionRecord, World

END = "<|end|>"
FACTS_PER_CHAT = 12
N_FIRST = 150  # questions that the test of the shipped assistant asks again


TRAINING = TrainConfig(steps=3_000, lr=1e-2, warmup=50, optimizer="muon", weight_decay=0.05)


@dataclass(frozen=True, kw_only=True)
class AssistantRecipe:
    """How the assistant is tuned, from its base to the last step."""

    base: str = "microworld-small"
    training: TrainConfig = TRAINING
    batch_size: int = 6  # chats and stories together
    n_chats: int = 8_000
    n_stories: int = 4_000  # plain stories among the chats, so that the model does not forget how to tell them
    data_seed: int = 3
    n_exam: int = 600
    n_test: int = 200  # stories, for what tuning does to the model's telling of them
    test_seed: int = 1


ASSISTANTS: dict[str, AssistantRecipe] = {"microworld-assistant": AssistantRecipe()}


def kept_back(world: World) -> tuple[str, ...]:
    """Three people about whose job, place and habit no lesson asks: what the base read of them is all there is."""
    return tuple(str(person) for person in world.people[:3])


def is_fact(record: InstructionRecord) -> bool:
    """Whether the question is about the world itself, with no story before it."""
    return record.text == record.instruction


def lessons(world: World, n: int, seed: int) -> list[list[Turn]]:
    """`n` chats. Four in five are about a story, with all its questions; the others ask for facts of the world."""
    shuffle = random.Random(f"lessons {seed}").shuffle
    n_facts = n // 5
    # one record in three is a fact, and some of these are about people who are kept back
    records = world.task("instructions", 6 * FACTS_PER_CHAT * n_facts, seed=seed)
    absent = kept_back(world)
    facts = [r for r in records if is_fact(r) and not any(name in r.instruction for name in absent)]
    chats = [
        [turn for fact in facts[first : first + FACTS_PER_CHAT] for turn in chat_of(fact.text, fact.answer)]
        for first in range(0, n_facts * FACTS_PER_CHAT, FACTS_PER_CHAT)
    ]
    for document in world.documents(n - n_facts, seed=seed):
        asked = list(document.labels["questions"])
        shuffle(asked)
        chats.append(story_chat(document.text, asked))
    return chats


def story_chat(story: str, asked: Sequence[tuple[str, str, str]]) -> list[Turn]:
    """A chat about a story, which the first turn tells; `asked` holds each question's kind, words and answer."""
    texts = [question if place else f"{story} {question}" for place, (_, question, _) in enumerate(asked)]
    return [turn for text, (_, _, true) in zip(texts, asked, strict=True) for turn in chat_of(text, true)]


def plain_story(text: str, tokenizer: ByteBPE) -> ChatExample:
    """A story as in pretraining, every token of it to be learned, in the form of a chat without turns."""
    (ids,) = encode_documents([text], tokenizer, tokenizer.special_id(END))
    return ChatExample(tuple(ids), (False, *[True] * (len(ids) - 1)))


def lesson_batches(recipe: AssistantRecipe, world: World, tokenizer: ByteBPE) -> ExampleBatches[ChatExample]:
    """The chats of the recipe, with its plain stories among them."""
    chats = [encode_chat(turns, tokenizer) for turns in lessons(world, recipe.n_chats, recipe.data_seed)]
    # the seed differs from that of the lessons, so that their stories do not come twice
    stories = world.documents(recipe.n_stories, seed=recipe.data_seed + 1)
    plain = [plain_story(story.text, tokenizer) for story in stories]
    return ExampleBatches([*chats, *plain], sft_batch, recipe.batch_size, recipe.training.seed)


def make_assistant(
    recipe: AssistantRecipe, base: Bundle, *, command: str, **options: Any
) -> tuple[Bundle, dict[str, Accuracy]]:
    """The assistant, tuned from `base` by its recipe, and what it got in its exam; `options` are those of `train`."""
    world = World(base.manifest["world_seed"])
    model = Transformer(base.model.config, attend=fused_attend)
    model.load_state_dict(base.model.state_dict())
    before = story_nats(model, base.tokenizer, world, recipe)
    batches = lesson_batches(recipe, world, base.tokenizer)
    for _ in train(model, batches, recipe.training, **options):
        pass
    questions = world.task("instructions", recipe.n_exam, split="test")
    results = exam(model, base.tokenizer, questions, kept_back(world))
    first = exam(model, base.tokenizer, questions[:N_FIRST])
    manifest = {
        "command": command,
        "base": recipe.base,
        "base_sha256": base.manifest["weights_sha256"],
        "world_seed": world.seed,
        "seed": recipe.training.seed,
        "steps": recipe.training.steps,
        "batch_size": recipe.batch_size,
        "chats": recipe.n_chats,
        "plain_stories": recipe.n_stories,
        "training": recipe.training.to_dict(),
        "exam": {group: [result.n_right, result.n] for group, result in results.items()},
        "first_questions": {"n": N_FIRST, "n_right": sum(result.n_right for result in first.values())},
        "test_documents": recipe.n_test,
        "test_seed": recipe.test_seed,
        "nats_per_document": round(story_nats(model, base.tokenizer, world, recipe), 4),
        "nats_per_document_before": round(before, 4),
    }
    return Bundle(model.eval(), base.tokenizer, manifest), results


def story_nats(model: nn.Module, tokenizer: ByteBPE, world: World, recipe: AssistantRecipe) -> float:
    """The model's mean surprise at stories that no model was trained on, in nats per document."""
    texts = held_out_texts(world, recipe.n_test, recipe.test_seed)
    documents = encode_documents(texts, tokenizer, tokenizer.special_id(END))
    return evaluate(model, in_order(documents, 16)).nats_per_document


def exam(
    model: nn.Module, tokenizer: ByteBPE, records: Sequence[InstructionRecord], absent: Sequence[str] = ()
) -> dict[str, Accuracy]:
    """How many answers are right, letter by letter, for each group of questions."""
    given = answers(model, tokenizer, [record.text for record in records])
    groups = [group_of(record, absent) for record in records]
    return {
        group: accuracy(
            [said for said, its_group in zip(given, groups, strict=True) if its_group == group],
            [record.answer for record, its_group in zip(records, groups, strict=True) if its_group == group],
        )
        for group in sorted(set(groups))
    }


def group_of(record: InstructionRecord, absent: Sequence[str] = ()) -> str:
    """What a question asks for; facts of the world apart, and among them those about `absent` people."""
    if not is_fact(record):
        return record.kind
    return "fact, kept back" if any(name in record.instruction for name in absent) else "fact"
