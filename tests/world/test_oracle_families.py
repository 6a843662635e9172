"""The oracle knows every family of tokenizers: WordPiece, which loses case and spaces, and Unigram, which does not."""

import math

import pytest

from llmcourse.tokenizers import train_unigram, train_wordpiece
from llmcourse.world import World
from llmcourse.world.oracle import TokenOracle
from tests.world.test_oracle import brute_force
from tests.world.toy import enumerate_texts, toy, world_that_tells


def wordpiece(texts: list[str]):
    tokenizer = train_wordpiece(texts, 300)
    return tokenizer, tokenizer.special_id("[SEP]")


def unigram(texts: list[str]):
    tokenizer = train_unigram(texts, 300)
    return tokenizer, tokenizer.special_id("</s>")


@pytest.mark.slow
@pytest.mark.parametrize("make", [wordpiece, unigram])
def test_token_probabilities_are_those_of_the_enumerated_documents(make) -> None:
    world = world_that_tells(toy)
    texts = enumerate_texts(world)
    tokenizer, end = make(list(texts))
    oracle = TokenOracle(world, tokenizer, end)
    for prefix, expected in list(brute_force(texts, tokenizer, end).items())[::7]:
        probs = oracle.probs(prefix)
        assert probs.keys() == expected.keys()
        assert all(probs[id_] == pytest.approx(p, rel=1e-9) for id_, p in expected.items())


@pytest.mark.slow
@pytest.mark.parametrize(("make", "keeps_all"), [(wordpiece, False), (unigram, True)])
def test_token_probabilities_multiply_up_to_the_mass_of_the_texts_that_read_alike(make, keeps_all: bool) -> None:
    world = World(3)
    tokenizer, end = make([document.text for document in world.documents(100)])
    oracle = TokenOracle(world, tokenizer, end)
    for document in world.documents(2, "test"):
        ids = [end, *tokenizer.encode(document.text), end]
        total = 0.0
        for probs, id_ in zip(oracle.walk(ids[:-1]), ids[1:], strict=True):
            assert math.fsum(probs.values()) == pytest.approx(1.0, abs=1e-12)
            total += math.log(probs[id_])
        assert total >= world.log_prob(document.text) - 1e-9
        if keeps_all:
            assert total == pytest.approx(world.log_prob(document.text), abs=1e-9)
