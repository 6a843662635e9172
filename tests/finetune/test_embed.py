import math

import pytest
import torch

from llmcourse.data import Batch
from llmcourse.finetune.classify import encode_start
from llmcourse.finetune.embed import (
    TextBatch,
    contrast_objective,
    embed,
    embedder,
    info_nce,
    retold,
    text_batch,
    told_batches,
    unit_vectors,
)
from llmcourse.training import TrainConfig, accumulate_gradients, train
from tests.finetune.conftest import make_backbone

TOLD = [
    ("Milo came.", "It was Milo who came.", "Olga came."),
    ("Who?", "Who is it?", "Why?"),
    ("The axe is lost, and so is the drum.", "Lost: one axe, one drum.", "The axe is lost."),
]


@pytest.fixture(params=["mean", "last", "first"])
def pool(request):
    return request.param


def by_hand(model, tokenizer, text, pool):
    """One text alone, its vectors taken off the stack and pooled in plain steps."""
    ids = torch.tensor([[tokenizer.special_id("<|end|>"), *tokenizer.encode(text)]])
    with torch.no_grad():
        vectors = (model.decode if model.decoder is not None else model.encode)(ids)[0]
    vector = {"mean": sum(vectors) / len(vectors), "last": vectors[-1], "first": vectors[0]}[pool]
    return vector / math.sqrt(sum(float(each) ** 2 for each in vector))


def test_a_texts_vector_is_pooled_over_its_own_tokens_whatever_stands_beside_it(backbone, tokenizer, pool):
    model = embedder(backbone, pool)
    texts = [text for each in TOLD for text in each]
    expected = torch.stack([by_hand(model, tokenizer, text, pool) for text in texts])
    torch.testing.assert_close(embed(model, tokenizer, texts, batch_size=4), expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(embed(model, tokenizer, texts[::-1], 9), expected.flip(0), rtol=1e-4, atol=1e-5)


def slow_nats(queries, candidates, temperature):
    """Each query, each candidate, one exponential at a time."""
    nats = []
    for i, query in enumerate(queries.tolist()):
        odds = [
            math.exp(sum(a * b for a, b in zip(query, candidate, strict=True)) / temperature)
            for candidate in candidates.tolist()
        ]
        nats.append(-math.log(odds[i] / sum(odds)))
    return nats


def test_the_loss_is_the_own_candidates_share_of_the_odds_of_all():
    queries, candidates = (torch.nn.functional.normalize(torch.randn(n, 6).double(), dim=1) for n in (4, 9))
    found = info_nce(queries, candidates, 0.3)
    assert found.tolist() == pytest.approx(slow_nats(queries, candidates, 0.3), abs=1e-9)
    assert torch.autograd.gradcheck(lambda given: info_nce(given, candidates, 0.3), queries.requires_grad_())


@pytest.mark.parametrize("n_told", [2, 3])
def test_every_query_is_set_against_the_likes_of_all_and_what_only_looks_like_them(backbone, tokenizer, n_told):
    model = embedder(backbone)
    told = [each[:n_told] for each in TOLD]
    batch = told_batches(told, tokenizer).collate(told)
    texts = [each[place] for place in range(1, n_told) for each in told]
    queries, candidates = embed(model, tokenizer, [each[0] for each in told]), embed(model, tokenizer, texts)
    loss, n = accumulate_gradients(model, [batch], contrast_objective(0.2))
    assert n == 3
    assert loss == pytest.approx(sum(slow_nats(queries, candidates, 0.2)) / 3, abs=1e-4)


def test_the_order_within_a_batch_moves_no_querys_loss(backbone, tokenizer):
    model, objective = embedder(backbone), contrast_objective(0.2)
    one, other = (
        objective(model, told_batches(TOLD, tokenizer).collate([TOLD[i] for i in order]))[:, 0]
        for order in ((0, 1, 2), (2, 0, 1))
    )
    torch.testing.assert_close(one[[2, 0, 1]], other, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_what_was_told_twice_comes_to_lie_close_together(tokenizer):
    model = embedder(make_backbone(tokenizer.vocab_size))
    batches = told_batches(TOLD, tokenizer, batch_size=3)
    list(train(model, batches, TrainConfig(steps=40, lr=1e-2), objective=contrast_objective(), progress=False))
    queries, likes, others = (embed(model, tokenizer, [each[i] for each in TOLD]) for i in range(3))
    assert ((queries * likes).sum(dim=1) > (queries * others).sum(dim=1)).all()


def test_stories_told_again_tell_the_same_and_their_lookalikes_do_not(world):
    for story, same, other in retold(world, 12, "test", seed=4):
        truths = [world.parse(text).labels for text in (story, same, other)]
        asked = [{question: answer for _, question, answer in truth["questions"]} for truth in truths]
        assert asked[0] == asked[1]
        assert truths[2] != truths[0]
        assert len({story, same, other}) == 3


def test_each_split_and_seed_tells_its_own_stories_again_and_again_the_same(world):
    assert retold(world, 3) == retold(world, 4)[:3]
    streams = [retold(world, 3, split, seed)[0] for split in ("train", "test") for seed in (0, 1)]
    assert len(set(streams)) == 4


def test_real_tokens_are_the_only_targets_and_none_of_padding_id_is_lost(tokenizer):
    batch = text_batch([[0, 5], [7, 0, 0, 4]], n_queries=1)
    assert batch.is_target.tolist() == [[True, True, False, False], [True] * 4]
    moved = batch.to(torch.device("meta"))
    assert isinstance(moved, TextBatch)
    assert (moved.inputs.device.type, moved.n_targets) == ("meta", 1)


def test_embedding_leaves_the_mode_as_it_was_and_draws_no_dropout(tokenizer):
    model = embedder(make_backbone(tokenizer.vocab_size, dropout=0.5)).train()
    texts = [each[0] for each in TOLD]
    assert torch.equal(embed(model, tokenizer, texts), embed(model, tokenizer, texts))
    assert model.training
    ids = [encode_start(texts[0], tokenizer)]
    assert not torch.equal(*(unit_vectors(model, text_batch(ids, 1)) for _ in range(2)))


def test_what_cannot_be_contrasted_is_refused(backbone, tokenizer):
    with pytest.raises(ValueError, match=r"its like in other words: \('Who\?',\) has none"):
        told_batches([("a", "b"), ("Who?",)], tokenizer)
    with pytest.raises(ValueError, match="temperature must be positive, not 0"):
        contrast_objective(0)
    with pytest.raises(ValueError, match="told_batches, not on Batch"):
        contrast_objective()(embedder(backbone), Batch(torch.tensor([[1]]), torch.tensor([[2]])))
