"""Each transform against its definition, worked out another way."""

import pytest
import torch
from torch.testing import assert_close
from transformers import (
    MinPLogitsWarper,
    NoRepeatNGramLogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from llmcourse.decoding import (
    compose,
    frequency_penalty,
    min_p,
    no_repeat_ngram,
    presence_penalty,
    repetition_penalty,
    temperature,
    top_k,
    top_p,
)

IDS = torch.tensor([[1, 4, 4], [0, 2, 7]])


@pytest.fixture
def logits():
    return torch.randn(2, 9, generator=torch.Generator().manual_seed(7)) * 2


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (temperature(0.7), TemperatureLogitsWarper(0.7)),
        (temperature(1.9), TemperatureLogitsWarper(1.9)),
        (top_k(3), TopKLogitsWarper(3)),
        (top_k(9), TopKLogitsWarper(9)),
        (top_p(0.35), TopPLogitsWarper(0.35)),
        (top_p(0.8), TopPLogitsWarper(0.8)),
        (top_p(1.0), TopPLogitsWarper(1.0)),
        (min_p(0.2), MinPLogitsWarper(0.2)),
        (repetition_penalty(1.3), RepetitionPenaltyLogitsProcessor(1.3)),
        (repetition_penalty(0.6), RepetitionPenaltyLogitsProcessor(0.6)),
        (no_repeat_ngram(1), NoRepeatNGramLogitsProcessor(1)),
        (no_repeat_ngram(2), NoRepeatNGramLogitsProcessor(2)),
    ],
)
def test_transforms_equal_the_reference(ours, theirs, logits):
    before = logits.clone()
    assert_close(ours(logits, IDS), theirs(IDS, logits.clone()))
    assert torch.equal(logits, before)  # the caller's logits are untouched


@pytest.mark.parametrize("n", [1, 2, 3, 4, 9])
def test_no_run_of_n_tokens_comes_twice(n):
    generator = torch.Generator().manual_seed(n)
    ids = torch.randint(0, 2, (60, 12), generator=generator)
    ours = no_repeat_ngram(n)(torch.zeros(60, 9), ids)
    assert_close(ours, NoRepeatNGramLogitsProcessor(n)(ids, torch.zeros(60, 9)))
    assert bool(ours.isinf().any()) == (n < 9)
    for row, kept in zip(ids.tolist(), ours.isfinite().tolist(), strict=True):
        runs = {tuple(row[i : i + n]) for i in range(13 - n)}
        assert kept == [(*row[13 - n :], token) not in runs for token in range(9)]


def test_presence_counts_once_and_frequency_each_time(logits):
    # the published rule: from each logit, count · alpha_frequency and (count > 0) · alpha_presence
    for row, ids, before in zip(range(2), IDS.tolist(), logits, strict=True):
        for token in range(9):
            n = ids.count(token)
            assert_close(frequency_penalty(0.3)(logits, IDS)[row, token], before[token] - 0.3 * n)
            assert_close(presence_penalty(0.3)(logits, IDS)[row, token], before[token] - 0.3 * (n > 0))


@pytest.mark.parametrize(
    "transform",
    [repetition_penalty(1.5), presence_penalty(0.5), frequency_penalty(0.5), no_repeat_ngram(1), no_repeat_ngram(2)],
)
def test_padding_is_no_token(transform, logits):
    padded = torch.cat((torch.full((2, 3), -1), IDS), dim=1)
    assert torch.equal(transform(logits, padded), transform(logits, IDS))
    nothing = torch.full((2, 3), -1)
    assert torch.equal(transform(logits, nothing), logits)


@pytest.mark.parametrize("p", [0.05, 0.3, 0.55, 0.9, 0.999])
def test_top_p_keeps_the_smallest_set_that_holds_p(p, logits):
    probs = logits.softmax(-1)
    kept = top_p(p)(logits, IDS).isfinite()
    for row_probs, row_kept in zip(probs, kept, strict=True):
        mass = row_probs[row_kept].sum()
        assert mass >= p
        assert mass - row_probs[row_kept].min() < p  # one token fewer would hold too little
        if not row_kept.all():
            assert row_probs[row_kept].min() >= row_probs[~row_kept].max()


def test_temperature_zero_keeps_only_the_likeliest(logits):
    probs = temperature(0)(logits, IDS).softmax(-1)
    assert torch.equal(probs.argmax(-1), logits.argmax(-1))
    assert_close(probs.amax(-1), torch.ones(2))


def test_more_than_the_vocabulary_may_be_asked_for(logits):
    assert torch.equal(top_k(50)(logits, IDS), logits)


def test_top_k_keeps_k_even_when_all_are_equal():
    assert top_k(4)(torch.zeros(2, 9), IDS).isfinite().sum(-1).tolist() == [4, 4]


def test_composition_runs_from_left_to_right(logits):
    both = compose(temperature(3.0), top_p(0.6))(logits, IDS)
    assert torch.equal(both, top_p(0.6)(temperature(3.0)(logits, IDS), IDS))
    assert not torch.equal(both, temperature(3.0)(top_p(0.6)(logits, IDS), IDS))
    assert compose()(logits, IDS) is logits


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: temperature(-1), "temperature must not be negative"),
        (lambda: top_k(0), "top_k must keep at least 1"),
        (lambda: top_p(0), r"top_p must lie in \(0, 1\], not 0"),
        (lambda: top_p(1.1), r"top_p must lie in \(0, 1\]"),
        (lambda: min_p(-0.1), "min_p must lie in"),
        (lambda: repetition_penalty(0), "repetition_penalty must be positive"),
        (lambda: no_repeat_ngram(0), "no_repeat_ngram needs runs of at least 1 token, not 0"),
    ],
)
def test_a_setting_out_of_range_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
