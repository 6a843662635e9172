"""Induction: the marks against a plain search, the scores against weights made by hand and a model that must copy."""

import pytest
import torch
from torch.testing import assert_close

from llmcourse.data import Batch
from llmcourse.insight import (
    capture_attention,
    follows_same,
    induction_scores,
    latest,
    mean_weight,
    prefix_matching_scores,
    previous_token_scores,
    repeated_tokens,
)
from llmcourse.model import Bucketed, Rotary, Transformer, TransformerConfig, fused_attend
from llmcourse.training import TrainConfig, accumulate_gradients, make_optimizer, next_token_nats
from tests.model.conftest import DECODERS, SIZES, lively


def test_both_halves_of_a_row_are_the_same_tokens_and_no_token_stands_twice_in_one():
    ids = repeated_tokens(range(10, 40), 5, 12, torch.Generator().manual_seed(0), start=3)
    assert ids.shape == (5, 25)
    assert ids[:, 0].eq(3).all()
    assert torch.equal(ids[:, 1:13], ids[:, 13:])
    assert all(len(set(row)) == 12 and set(row) <= set(range(10, 40)) for row in ids[:, 1:13].tolist())
    assert len({tuple(row) for row in ids.tolist()}) == 5
    assert torch.equal(ids, repeated_tokens(range(10, 40), 5, 12, torch.Generator().manual_seed(0), start=3))


@pytest.mark.parametrize("length", [0, 31])
def test_a_half_that_cannot_be_filled_is_refused(length):
    with pytest.raises(ValueError, match=rf"A half of different tokens has 1 to 30 of them, not {length}\."):
        repeated_tokens(range(30), 1, length, torch.Generator())


def test_the_marks_are_what_a_plain_search_finds():
    ids = torch.randint(0, 5, (3, 14), generator=torch.Generator().manual_seed(2))
    all_of_them, last_of_them = follows_same(ids), latest(follows_same(ids))
    for row, tokens in enumerate(ids.tolist()):
        for query, token in enumerate(tokens):
            after = [place + 1 for place in range(query) if tokens[place] == token]
            assert all_of_them[row, query].nonzero().flatten().tolist() == after
            assert last_of_them[row, query].nonzero().flatten().tolist() == after[-1:]


def test_a_head_that_only_does_induction_scores_one_and_an_even_one_its_share():
    ids = repeated_tokens(range(20), 2, 6, torch.Generator().manual_seed(1))
    marks = latest(follows_same(ids))
    perfect = marks.float()
    even = torch.ones(12, 12).tril() / torch.arange(1, 13)[:, None]
    weights = torch.stack((perfect, even.expand(2, -1, -1)), dim=1)
    share = sum(1 / (query + 1) for query in range(6, 12)) / 6
    assert_close(mean_weight(weights, marks), torch.tensor([1.0, share]))


def test_prefix_matching_counts_every_earlier_occurrence_and_induction_the_latest(ids):
    model = lively(Transformer(DECODERS["rotary"]))
    thrice = torch.cat((ids[:, :4], ids[:, :4], ids[:, :4]), dim=1)
    assert (prefix_matching_scores(model, thrice) > induction_scores(model, thrice)).all()
    twice = thrice[:, :8]
    assert_close(prefix_matching_scores(model, twice), induction_scores(model, twice))


def _taught_to_copy(mix_previous: bool) -> Transformer:
    """One layer, after 220 steps on repeated tokens whose halves differ in length, so that no distance helps."""
    sizes = {"vocab_size": 24, "d_model": 32, "d_ff": 32, "n_heads": 2, "n_decoder_layers": 1}
    config = TransformerConfig(**sizes, position=Rotary(), norm="rms", bias=False, mix_previous=mix_previous)
    chance = torch.Generator().manual_seed(0)
    model = Transformer(config, generator=chance)
    optimizer = make_optimizer(model, TrainConfig(steps=220, lr=1e-2, optimizer="muon"))
    for _ in range(220):
        length = int(torch.randint(4, 16, (1,), generator=chance))
        rows = repeated_tokens(range(24), 16, length, chance)
        optimizer.zero_grad()
        accumulate_gradients(model, [Batch(rows[:, :-1], rows[:, 1:])], next_token_nats)
        optimizer.step()
    return model


@pytest.mark.slow
@torch.no_grad()
def test_one_layer_learns_induction_where_vectors_are_mixed_with_the_one_before_and_not_elsewhere():
    ids = repeated_tokens(range(24), 8, 12, torch.Generator().manual_seed(9))
    scores, right = {}, {}
    for mix_previous in (True, False):
        with torch.enable_grad():
            model = _taught_to_copy(mix_previous)
        scores[mix_previous] = induction_scores(model, ids).max()
        right[mix_previous] = model(ids[:, :-1])[:, 12:].argmax(dim=-1).eq(ids[:, 13:]).float().mean()
    assert scores[True] > 0.8
    assert right[True] > 0.95
    # a key without the token before it says nothing of what it follows: with one layer nobody else can tell it
    assert scores[False] < 0.4
    assert right[False] < 0.5


def test_the_weight_on_the_token_before_is_read_off_the_diagonal(ids):
    model = lively(Transformer(DECODERS["rotary"]))
    scores = previous_token_scores(model, ids)
    assert scores.shape == (2, 3)
    whole = torch.zeros_like(scores)
    for row in ids:
        whole += torch.stack([_below_diagonal(model, row[:n])[0] for n in range(2, len(row) + 1)]).mean(dim=0)
    assert_close(scores, whole / len(ids), rtol=1e-4, atol=1e-5)


def _below_diagonal(model, row):
    """The weight of the last token's heads on the one before it, from a run that ends there."""
    with torch.no_grad(), capture_attention(model) as weights:
        model(row[None])
    return torch.stack([each[0, :, -1, -2] for each in weights])[None]


def test_what_cannot_be_scored_is_refused_in_one_line(ids):
    fused = Transformer(DECODERS["rotary"], attend=fused_attend)
    with pytest.raises(ValueError, match="This model's attend keeps no weights"):
        induction_scores(fused, ids)
    both = Transformer(TransformerConfig(**SIZES, n_encoder_layers=1, position=Bucketed(8, 20)))
    with pytest.raises(ValueError, match="this one has an encoder and a decoder"):
        induction_scores(both, ids)
    with pytest.raises(ValueError, match="No token of these rows has stood before"):
        induction_scores(Transformer(DECODERS["rotary"]), torch.arange(9)[None])
