"""The surprise of a story, word by word and by kind."""

import math

import pytest
import torch

from llmcourse.data import encode_documents, pad_documents
from llmcourse.hub import excess
from llmcourse.hub.excess import KINDS, shares, word_surprises
from llmcourse.hub.watch import Watch, is_repeated_name, name_ids
from llmcourse.model import Rotary, Transformer, TransformerConfig
from llmcourse.tokenizers import ByteBPE
from llmcourse.training import StepRecord, evaluate
from llmcourse.world import World


@pytest.fixture(scope="module")
def world():
    return World(3)


@pytest.fixture(scope="module")
def texts(world):
    return [document.text for document in world.documents(6, "test")]


@pytest.fixture(scope="module")
def tokenizer(world):
    return ByteBPE.train([d.text for d in world.documents(200)], 700, ("<|end|>",))


@pytest.fixture(scope="module")
def model(tokenizer):
    config = TransformerConfig(
        vocab_size=tokenizer.vocab_size, d_model=16, d_ff=24, n_decoder_layers=1, n_heads=2, position=Rotary()
    )
    return Transformer(config, generator=torch.Generator().manual_seed(0))


def test_the_words_add_up_to_the_story_for_model_and_world(model, tokenizer, world, texts):
    for text in texts[:3]:
        words = word_surprises(model, tokenizer, world, text)
        assert " ".join(each.word for each in words[:-1]) == text
        assert sum(each.truth for each in words) == pytest.approx(-world.log_prob(text), abs=1e-6)
        whole = evaluate(model, [pad_documents(encode_documents([text], tokenizer, tokenizer.special_id("<|end|>")))])
        assert sum(each.model for each in words) == pytest.approx(whole.nats_per_document, rel=1e-4)


def test_every_word_has_its_kind(model, tokenizer, world, texts):
    names = {person.name for person in world.people}
    for text in texts[:3]:
        seen = set()
        for each in word_surprises(model, tokenizer, world, text):
            bare = each.word.strip('.,:;!?"').removesuffix("'s")
            assert (each.kind in ("new names", "repeated names")) == (bare in names)
            if bare in names:
                assert (each.kind == "repeated names") == (bare in seen)
                seen.add(bare)
            if each.kind == "certain words":
                assert each.truth <= -math.log(excess.CERTAIN)
            assert (each.kind == "pronouns") == (bare.lower() in excess.PRONOUNS)


def test_shares_are_means_over_stories_and_lose_nothing(model, tokenizer, world, texts):
    parts = shares(model, tokenizer, world, texts[:3])
    assert list(parts) == list(KINDS)
    surprises = [word_surprises(model, tokenizer, world, text) for text in texts[:3]]
    assert sum(part.words for part in parts.values()) == pytest.approx(sum(map(len, surprises)) / 3)
    for part, kind in zip(parts.values(), KINDS, strict=True):
        cost = sum(each.model for words in surprises for each in words if each.kind == kind) / 3
        assert part.model == pytest.approx(cost)
        assert part.excess == pytest.approx(part.model - part.truth)
    with pytest.raises(ValueError, match="at least one text"):
        shares(model, tokenizer, world, [])


def test_a_repeated_name_is_marked_where_it_is_predicted_again(world, tokenizer):
    names = name_ids(world, tokenizer)
    name = next(iter(names))
    other = next(id_ for id_ in range(300) if id_ not in names)
    batch = pad_documents([[0, name, other, name, 0], [0, other, name, 0]])
    assert is_repeated_name(batch, names).tolist() == [[False, False, True, False], [False] * 4]


def test_a_watch_looks_at_its_steps_only_and_sees_what_evaluation_sees(model, tokenizer, world, texts):
    documents = encode_documents(texts, tokenizer, tokenizer.special_id("<|end|>"))
    watch = Watch(documents, name_ids(world, tokenizer))
    for step in (1, 3, 500, 501):
        watch.look(model, StepRecord(step, 1.0, 0.1, 1.0, 10 * step, 0.1))
    assert [row["step"] for row in watch.rows] == [1, 500]
    whole = evaluate(model, [pad_documents(documents)]).nats_per_document
    assert watch.rows[0]["nats_per_document"] == pytest.approx(whole, rel=1e-4)
    # an untrained model finds every token about as likely as any other
    assert watch.rows[0]["nats_per_repeated_name"] == pytest.approx(math.log(tokenizer.vocab_size), rel=0.1)
