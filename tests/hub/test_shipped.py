"""The checkpoint that comes with the course, scored again."""

import math
import statistics

import pytest
import torch

from llmcourse.hub import RECIPES, bundled, held_out_texts, score, write_on
from llmcourse.hub.bundle import BUNDLED
from llmcourse.hub.watch import name_ids
from llmcourse.training import TrainConfig
from llmcourse.world import World

N = 200  # of the manifest's documents, the first ones


@pytest.fixture(scope="module")
def shipped():
    return bundled("microworld-small")


@pytest.fixture(scope="module")
def again(shipped):
    world = World(shipped.manifest["world_seed"])
    texts = held_out_texts(world, N, shipped.manifest["test_seed"])
    return score(shipped.model, shipped.tokenizer, world, texts)


@pytest.mark.slow
def test_the_manifest_says_what_the_model_scores(shipped, again):
    told = shipped.manifest["first_documents"]
    assert told["n"] == N
    # a changed world shows here first; then `llmcourse models` makes the model again
    assert again.floor == pytest.approx(told["floor"], abs=1e-3)
    assert again.model.nats_per_document == pytest.approx(told["nats_per_document"], abs=2e-2)  # 16 bits, any CPU


@pytest.mark.slow
def test_the_first_documents_are_no_easier_than_all(shipped, again):
    manifest = shipped.manifest
    difference = again.model.nats_per_document - manifest["nats_per_document"]
    assert abs(difference) < 4 * math.hypot(again.model.stderr, manifest["stderr"])


@pytest.mark.slow
def test_the_model_does_not_score_below_the_floor(again):
    assert again.gap > -3 * again.gap_stderr


def test_the_model_has_come_as_near_to_the_floor_as_the_course_says(shipped):
    manifest = shipped.manifest
    assert manifest["way_closed"] >= 0.9
    assert manifest["above_floor"] <= 0.1 * manifest["floor"]
    assert manifest["above_floor"] == pytest.approx(manifest["nats_per_document"] - manifest["floor"], abs=1e-3)
    way = manifest["5-gram"] - manifest["floor"]
    assert manifest["way_closed"] == pytest.approx(1 - manifest["above_floor"] / way, abs=1e-3)
    assert manifest["test_documents"] >= 1_500


def test_the_manifest_tells_how_the_model_was_made_and_that_is_still_the_recipe(shipped):
    plan = RECIPES["microworld-small"]
    manifest = shipped.manifest
    assert manifest["command"] == "llmcourse models"
    assert TrainConfig.from_dict(manifest["training"]) == plan.training  # fields that came later have their defaults
    assert shipped.model.config == plan.model
    assert manifest["world_seed"] == plan.world_seed
    assert manifest["steps"] == plan.training.steps
    assert set(manifest["versions"]) == {"llmcourse", "torch", "python"}


def test_all_shipped_models_together_stay_small():
    assert sum(path.stat().st_size for path in BUNDLED.rglob("*") if path.is_file()) <= 2_000_000


def test_the_shipped_tokenizer_knows_the_marks_of_documents_and_of_chats(shipped):
    assert list(shipped.tokenizer.specials) == ["<|end|>", "<|user|>", "<|assistant|>"]
    assert shipped.tokenizer.vocab_size == RECIPES["microworld-small"].model.vocab_size == 2_048


def test_every_name_of_the_world_is_one_token(shipped):
    world = World(shipped.manifest["world_seed"])
    assert len(name_ids(world, shipped.tokenizer)) == len(world.people)


@pytest.mark.slow
def test_the_watch_kept_while_training_ends_where_the_model_is(shipped, again):
    watched = shipped.manifest["watched"]
    assert watched["rows"][-1]["step"] == shipped.manifest["steps"]
    assert [row["step"] for row in watched["rows"]] == sorted({row["step"] for row in watched["rows"]})
    first = statistics.fmean(again.model.document_nats[: watched["n"]])
    assert first == pytest.approx(watched["rows"][-1]["nats_per_document"], abs=2e-2)  # 16 bits since


@pytest.mark.slow
def test_what_the_model_writes_is_in_the_words_of_the_world(shipped):
    world = World(shipped.manifest["world_seed"])
    torch.set_num_threads(1)
    known = {word for document in world.documents(1_000) for word in document.text.split(" ")}
    written = " ".join("".join(write_on(shipped, seed=seed)) for seed in range(6)).split()
    assert statistics.fmean(word in known for word in written) >= 0.95
