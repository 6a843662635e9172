import dataclasses
import json
import math

import pytest
import torch

from llmcourse.hub import RECIPES, Recipe, held_out_texts, load_bundle, make, make_from_text, recipe, save_bundle, score
from llmcourse.model import Rotary, TransformerConfig
from llmcourse.training import TrainConfig
from llmcourse.world import World


@pytest.fixture(scope="module")
def tiny() -> Recipe:
    model = TransformerConfig(
        vocab_size=320, d_model=8, d_ff=16, n_decoder_layers=1, n_heads=2, position=Rotary(), bias=False
    )
    return Recipe(
        model=model,
        training=TrainConfig(steps=3, lr=1e-2, optimizer="muon"),
        batch_size=2,
        n_documents=40,
        n_tokenizer_documents=10,
        n_test=5,
        context=1000,
    )


@pytest.mark.slow
def test_a_recipe_gives_a_model_whose_manifest_tells_everything(tiny, tmp_path):
    bundle, result = make(tiny, command="a test", progress=False, metrics_path=tmp_path / "metrics.jsonl")
    assert not bundle.model.training
    assert bundle.manifest["command"] == "a test"
    assert bundle.manifest["tokens"] == json.loads((tmp_path / "metrics.jsonl").read_text().splitlines()[-1])["tokens"]
    assert bundle.manifest["nats_per_document"] == pytest.approx(result.model.nats_per_document, abs=1e-4)
    assert len(result.floor_nats) == 5
    assert result.gap > 0
    again = load_bundle(save_bundle(tmp_path / "model", bundle.model, bundle.tokenizer, bundle.manifest))
    world = World(tiny.world_seed)
    rescored = score(again.model, again.tokenizer, world, held_out_texts(world, 5, tiny.test_seed))
    assert rescored.model.nats_per_document == pytest.approx(result.model.nats_per_document, rel=1e-4)
    assert rescored.floor_nats == result.floor_nats


def test_scores_stand_in_the_order_of_the_texts_and_compare_with_the_truth(tiny):
    world = World(0)
    texts = held_out_texts(world, 6, seed=7)
    bundle, _ = make(dataclasses.replace(tiny, n_test=2), command="a test", progress=False)
    together = score(bundle.model, bundle.tokenizer, world, texts)
    alone = [score(bundle.model, bundle.tokenizer, world, [text]) for text in texts]
    assert together.floor_nats == tuple(-world.log_prob(text) for text in texts)
    assert together.model.document_nats == pytest.approx([one.model.nats_per_document for one in alone], rel=1e-5)
    assert together.gap == pytest.approx(sum(one.gap for one in alone) / 6, rel=1e-5)
    assert alone[0].gap_stderr == math.inf
    bits = sum(together.model.document_nats) / math.log(2)
    assert together.model.bits_per_byte == pytest.approx(bits / sum(len(text.encode()) for text in texts), rel=1e-9)


def test_no_test_document_is_among_the_training_documents():
    plan = RECIPES["microworld-small"]
    world = World(plan.world_seed)
    seen = {document.text for document in world.documents(2_000, split="train")}
    assert seen.isdisjoint(held_out_texts(world, 500, plan.test_seed))


def test_a_text_is_cut_in_two_and_scored_on_the_end_it_has_not_seen(tiny):
    text = "the cat sat on the mat. " * 200 + "ZEBRA! " * 60
    bundle, result = make_from_text(tiny, text, command="a test", progress=False)
    held_out = text[len(text) - len(text) // 10 :]
    assert result.model.n_bytes == len(held_out)
    assert result.model.n_tokens == len(bundle.tokenizer.encode(held_out)) - 1
    assert result.ngram_bits_per_byte > 2  # it never saw a zebra
    assert not any(b"ZEB" in bundle.tokenizer.token_bytes(i) for i in range(bundle.tokenizer.vocab_size))


def test_a_text_that_is_too_short_is_refused(tiny):
    with pytest.raises(ValueError, match="are too few"):
        make_from_text(tiny, "the cat sat on the mat", command="a test", progress=False)


def test_an_unknown_recipe_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"Unknown preset 'huge'; known are: microworld-small"):
        recipe("huge")


def test_the_same_recipe_gives_the_same_weights(tiny):
    first, second = (make(dataclasses.replace(tiny, n_test=2), command="a test", progress=False)[0] for _ in range(2))
    for name, weight in first.model.state_dict().items():
        assert torch.equal(weight, second.model.state_dict()[name])
