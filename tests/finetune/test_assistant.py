import pytest
import torch

from llmcourse.commands.train import make_models
from llmcourse.finetune import Accuracy, sft_batch
from llmcourse.finetune.assistant import (
    ASSISTANTS,
    AssistantRecipe,
    exam,
    group_of,
    is_fact,
    kept_back,
    lesson_batches,
    lessons,
    make_assistant,
    plain_story,
    story_nats,
)
from llmcourse.hub import Bundle, bundled, load_bundle, save_bundle
from llmcourse.training import TrainConfig
from llmcourse.world import World
from tests.finetune.conftest import make_backbone

TINY = AssistantRecipe(training=TrainConfig(steps=2, lr=1e-3), batch_size=2, n_chats=5, n_stories=3, n_exam=4, n_test=2)


@pytest.fixture
def base(tokenizer, world):
    model = make_backbone(tokenizer.vocab_size)
    return Bundle(model, tokenizer, {"world_seed": world.seed, "weights_sha256": "abc"})


@pytest.fixture(scope="module")
def chats(world):
    return lessons(world, 20, seed=4)


def test_four_chats_in_five_are_about_a_story_and_ask_all_its_questions(world, chats):
    told = world.documents(16, seed=4)
    for document, turns in zip(told, chats[4:], strict=True):
        assert turns[0].text.startswith(document.text)
        first = turns[0].text.removeprefix(document.text + " ")
        asked = [(q.text, a.text) for q, a in zip(turns[0::2], turns[1::2], strict=True)]
        true = {question: answer for _, question, answer in document.labels["questions"]}
        assert dict([(first, asked[0][1]), *asked[1:]]) == true


def true_answer(question, person):
    """Worked out from the person, not from the record that the lesson was made of."""
    job = person.job.forms["a"]
    if question.startswith("Is "):
        return f"{'Yes' if question == f'Is {person} {job}?' else 'No'}, {person} is {job}."
    if "living" in question:
        return f"{person} is {job}."
    if "work" in question:
        return f"{person} works {person.job.at}."
    return f"{person} is the one {person.quirk.clause}."


def test_the_other_chats_ask_for_facts_and_never_about_those_who_are_kept_back(world, chats):
    for turns in chats[:4]:
        assert len(turns) == 24
        for question, answer in zip(turns[0::2], turns[1::2], strict=True):
            (person,) = [p for p in world.people if str(p) in question.text]
            assert str(person) not in kept_back(world)
            assert answer.text == true_answer(question.text, person)


def test_a_plain_story_is_learned_whole_as_in_pretraining(tokenizer):
    story = plain_story("Milo came.", tokenizer)
    batch = sft_batch([story])
    end = tokenizer.special_id("<|end|>")
    assert batch.inputs[0].tolist() == [end, *tokenizer.encode("Milo came.")]
    assert batch.targets[0].tolist() == [*tokenizer.encode("Milo came."), end]


def test_the_plain_stories_are_not_those_of_the_chats(world, tokenizer):
    batches = lesson_batches(TINY, world, tokenizer)
    texts = [tokenizer.decode(example.ids) for example in batches.examples]
    stories = [text.split("<|end|>")[1] for text in texts[-TINY.n_stories :]]
    assert len(texts) == TINY.n_chats + TINY.n_stories
    assert not any(story in text for story in stories for text in texts[: TINY.n_chats])


def test_questions_are_grouped_by_kind_and_facts_by_whether_they_were_kept_back(world):
    records = world.task("instructions", 400)
    absent = kept_back(world)
    for record in records:
        group = group_of(record, absent)
        if record.text != record.instruction:
            assert group == record.kind
        else:
            about = any(name in record.instruction for name in absent)
            assert group == ("fact, kept back" if about else "fact")
    assert {group_of(record) for record in records if is_fact(record)} == {"fact"}


def test_an_exam_counts_each_question_once_in_its_group(world, tokenizer):
    records = world.task("instructions", 12)
    model = make_backbone(tokenizer.vocab_size)
    results = exam(model, tokenizer, records, kept_back(world))
    assert sum(result.n for result in results.values()) == 12
    assert all(isinstance(result, Accuracy) for result in results.values())


def test_making_an_assistant_leaves_its_base_alone_and_tells_how_it_was_made(base, world):
    before = {name: weight.clone() for name, weight in base.model.state_dict().items()}
    bundle, results = make_assistant(TINY, base, command="by hand", progress=False)
    assert all(torch.equal(weight, before[name]) for name, weight in base.model.state_dict().items())
    assert not torch.equal(bundle.model.tokens.weight, base.model.tokens.weight)
    told = bundle.manifest
    assert told["base_sha256"] == "abc"
    assert told["command"] == "by hand"
    assert told["exam"] == {group: [result.n_right, result.n] for group, result in results.items()}
    assert told["nats_per_document_before"] == pytest.approx(
        story_nats(base.model, base.tokenizer, world, TINY), abs=1e-3
    )
    assert told["nats_per_document"] != told["nats_per_document_before"]


@pytest.mark.slow
def test_the_command_makes_it_from_the_shipped_base(base, tmp_path, monkeypatch):
    monkeypatch.setattr("llmcourse.hub.bundle.BUNDLED", tmp_path)
    monkeypatch.setitem(ASSISTANTS, "tiny-assistant", TINY)
    save_bundle(tmp_path / TINY.base, base.model, base.tokenizer, base.manifest)
    said: list[str] = []
    assert make_models(("tiny-assistant",), say=said.append, progress=False) == [tmp_path / "tiny-assistant"]
    made = load_bundle(tmp_path / "tiny-assistant").manifest
    assert made["command"] == "llmcourse models tiny-assistant"
    assert made["base_sha256"] == load_bundle(tmp_path / TINY.base).manifest["weights_sha256"]


@pytest.fixture(scope="module")
def shipped():
    return bundled("microworld-assistant")


def test_the_shipped_assistant_stands_on_the_shipped_base_and_on_its_recipe(shipped):
    recipe = ASSISTANTS["microworld-assistant"]
    told = shipped.manifest
    # a new base needs a new assistant: llmcourse models microworld-assistant
    assert told["base_sha256"] == bundled(recipe.base).manifest["weights_sha256"]
    assert TrainConfig.from_dict(told["training"]) == recipe.training  # fields that came later have their defaults
    assert (told["chats"], told["plain_stories"], told["batch_size"]) == (
        recipe.n_chats,
        recipe.n_stories,
        recipe.batch_size,
    )
    assert shipped.tokenizer.pairs == bundled(recipe.base).tokenizer.pairs


@pytest.mark.slow
def test_the_shipped_assistant_gets_the_marks_that_its_manifest_tells(shipped):
    told = shipped.manifest["first_questions"]
    questions = World(shipped.manifest["world_seed"]).task("instructions", told["n"], split="test")
    results = exam(shipped.model, shipped.tokenizer, questions)
    assert sum(result.n for result in results.values()) == told["n"]
    n_right = sum(result.n_right for result in results.values())
    assert abs(n_right - told["n_right"]) <= 2  # a tie of two tokens may fall either way on another processor


@pytest.mark.slow
def test_the_shipped_assistant_still_tells_stories(shipped):
    told = shipped.manifest
    recipe = ASSISTANTS["microworld-assistant"]
    nats = story_nats(shipped.model, shipped.tokenizer, World(told["world_seed"]), recipe)
    assert nats == pytest.approx(told["nats_per_document"], abs=2e-2)
