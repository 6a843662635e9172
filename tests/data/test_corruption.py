import dataclasses
import itertools
import random
from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.data import (
    IGNORE,
    DocumentBatches,
    MaskedBatches,
    Masking,
    SpanBatches,
    Spans,
    corrupt_spans,
    mask_tokens,
)

END, MASK, V = 0, 40, 41
MASKING = Masking(mask_id=MASK, vocab_size=V, specials=frozenset({END, 1}))
SPANS = Spans(sentinels=tuple(range(100, 140)))
DOCUMENTS = [[END, *(2 + (i * j) % 38 for j in range(1, 12 + i % 7)), END] for i in range(1, 14)]
texts = st.lists(st.integers(2, 39), min_size=2, max_size=90)
seeds = st.integers(0, 10**6)


@given(texts, seeds)
def test_only_chosen_tokens_are_targets_and_all_others_stay_as_they_are(text, seed):
    ids = [END, *text, 1, END]
    inputs, targets = mask_tokens(ids, MASKING, random.Random(seed))
    chosen = [place for place, target in enumerate(targets) if target != IGNORE]
    assert len(chosen) == max(1, round(0.15 * len(text)))
    assert all(targets[place] == ids[place] not in MASKING.specials for place in chosen)
    assert all(inputs[place] == ids[place] for place in range(len(ids)) if place not in chosen)


def test_eight_of_ten_chosen_tokens_are_masked_one_is_random_and_one_stays():
    ids, fates, drawn = [7] * 200, Counter(), Counter()
    for seed in range(400):
        inputs, targets = mask_tokens(ids, MASKING, random.Random(seed))
        for read, expected in zip(inputs, targets, strict=True):
            if expected != IGNORE:
                fates["mask" if read == MASK else "stay" if read == 7 else "random"] += 1
                drawn[read] += 1
    n = fates.total()  # 12,000: the standard error of a share is at most 0.004
    assert fates["mask"] / n == pytest.approx(0.8, abs=0.015)
    assert fates["random"] / n == pytest.approx(0.1 * 37 / 38, abs=0.012)  # one in 38 draws is the token itself
    assert not {END, 1} & set(drawn)
    assert len(drawn) == 39  # the mask, and every ordinary token


def test_every_place_is_chosen_equally_often():
    counts = Counter()
    for seed in range(2_000):
        _, targets = mask_tokens(list(range(2, 22)), MASKING, random.Random(seed))
        counts.update(place for place, target in enumerate(targets) if target != IGNORE)
    assert [counts[place] / 2_000 for place in range(20)] == pytest.approx([0.15] * 20, abs=0.035)


def filled_in(source: list[int], target: list[int]) -> list[int]:
    """The text again: each sentinel of the source stands for what follows it in the target."""
    spans, sentinel = {}, None
    for token in target:
        if token >= 100:
            sentinel = token
            spans[sentinel] = []
        else:
            spans[sentinel].append(token)
    return [token for read in source for token in (spans[read] if read >= 100 else [read])]


@given(texts, seeds)
def test_source_and_target_together_are_the_text(text, seed):
    source, target = corrupt_spans(text, SPANS, random.Random(seed))
    assert filled_in(source, target) == text


@given(texts, seeds)
def test_sentinels_stand_in_order_never_side_by_side_and_one_more_ends_the_target(text, seed):
    source, target = corrupt_spans(text, SPANS, random.Random(seed))
    holes = [token for token in source if token >= 100]
    assert holes == list(range(100, 100 + len(holes)))
    assert [token for token in target if token >= 100] == [*holes, 100 + len(holes)]
    assert target[-1] == 100 + len(holes)
    assert all(source[i] < 100 or source[i + 1] < 100 for i in range(len(source) - 1))
    assert all(target[i] < 100 or target[i + 1] < 100 for i in range(len(target) - 1))  # no span is empty


def test_fifteen_per_cent_are_hidden_in_spans_of_three_on_average_anywhere_in_the_text():
    text, hidden, lengths = list(range(60)), Counter(), Counter()  # every token is its own place
    for seed in range(3_000):
        source, target = corrupt_spans(text, SPANS, random.Random(seed))
        hidden.update(token for token in target if token < 100)
        marks = [place for place, token in enumerate(target) if token >= 100]
        lengths.update(b - a - 1 for a, b in itertools.pairwise(marks))
        assert len(source) == 60 - 9 + len(marks) - 1
    assert hidden.total() == 3_000 * 9  # 15 % of 60
    assert sum(length * n for length, n in lengths.items()) / lengths.total() == pytest.approx(3.0)
    assert set(lengths) == set(range(1, 8))  # 9 tokens in 3 spans, none of them empty
    shares = [hidden[token] / 3_000 for token in range(60)]
    assert shares[5:-5] == pytest.approx([0.16] * 50, abs=0.04)
    assert min(shares) > 0.04  # fewer spans reach the first token than an inner one, but some do
    assert shares[0] == pytest.approx(shares[-1], abs=0.03)  # neither end is favoured


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Masking(mask_id=1, vocab_size=9, rate=0.0), "rate must lie in"),
        (lambda: Masking(mask_id=1, vocab_size=9, masked=0.8, random=0.3), "masked and random are shares of a whole"),
        (lambda: Masking(mask_id=1, vocab_size=2, specials=frozenset({0})), "no random one can be drawn"),
        (lambda: mask_tokens([END, END], MASKING, random.Random(0)), "every token is special"),
        (lambda: Spans(sentinels=(5, 6), rate=1.0), "rate must lie in"),
        (lambda: Spans(sentinels=(5, 6), mean_length=0.5), "mean_length must be at least 1"),
        (lambda: Spans(sentinels=(5, 5, 6)), "all different"),
        (lambda: Spans(sentinels=(5,)), "two sentinels or more"),
        (lambda: corrupt_spans([3], SPANS, random.Random(0)), "two tokens or more"),
        (lambda: corrupt_spans([3] * 90, Spans(sentinels=(5, 6)), random.Random(0)), "need 6 sentinels, not 2"),
    ],
)
def test_what_cannot_be_hidden_is_refused_with_its_rule(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def documents() -> DocumentBatches:
    return DocumentBatches(DOCUMENTS, 3, seed=2)


def rows_of(ids: torch.Tensor, is_real: torch.Tensor) -> list[list[int]]:
    return [row[real].tolist() for row, real in zip(ids, is_real, strict=True)]


def test_masked_batches_hold_the_documents_and_count_neither_specials_nor_padding():
    batches = MaskedBatches(documents(), MASKING, seed=1)
    assert len(batches) == 5
    for step in range(5):
        batch, whole = batches.batch(step), documents().documents_of(step)
        assert (~batch.is_real).any()  # else nothing is tested
        assert batch.targets[~batch.is_real].eq(IGNORE).all()
        read, expected = rows_of(batch.inputs, batch.is_real), rows_of(batch.targets, batch.is_real)
        for ids, inputs, targets in zip(whole, read, expected, strict=True):
            assert targets[0] == targets[-1] == IGNORE
            assert len(ids) == len(inputs)
            assert [t if t != IGNORE else i for i, t in zip(inputs, targets, strict=True)] == list(ids)


def test_span_batches_hold_the_documents_and_the_decoder_reads_what_it_is_to_write():
    batches = SpanBatches(documents(), SPANS, seed=1)
    for step in range(5):
        batch, whole = batches.batch(step), documents().documents_of(step)
        sources = rows_of(batch.source, batch.source_is_real)
        targets = rows_of(batch.targets, batch.is_target)
        inputs = rows_of(batch.inputs, batch.is_target)
        for ids, source, read, target in zip(whole, sources, inputs, targets, strict=True):
            assert read == [END, *target[:-1]]
            assert source[-1] == END
            assert filled_in(source[:-1], target) == list(ids[1:-1])


@pytest.mark.parametrize(("make", "rule"), [(MaskedBatches, MASKING), (SpanBatches, SPANS)])
def test_what_is_hidden_depends_on_the_seed_and_the_step_and_nothing_before(make, rule):
    first, second = make(documents(), rule, seed=1), make(documents(), rule, seed=1)
    expected = [first.batch(step) for step in range(8)]
    for step in (7, 2, 5):  # as after a resumption: no step before it was asked for
        again = second.batch(step)
        assert torch.equal(again.inputs, expected[step].inputs)
        assert torch.equal(again.targets, expected[step].targets)
    assert not same(make(documents(), rule, seed=2).batch(2), expected[2])
    one = make(DocumentBatches(DOCUMENTS[5:6], 1), rule)  # the same document at every step
    assert len({str(one.batch(step).targets.tolist()) for step in range(6)}) > 1


def same(first, second) -> bool:
    return first.targets.shape == second.targets.shape and torch.equal(first.targets, second.targets)


@pytest.mark.parametrize(("make", "rule"), [(MaskedBatches, MASKING), (SpanBatches, SPANS)])
def test_shares_of_a_batch_are_its_rows_each_once(make, rule):
    batch = make(documents(), rule).batch(0)
    shares = [batch.share(place, 2) for place in range(2)]
    assert [type(share) for share in shares] == [type(batch)] * 2
    assert sum(share.n_targets for share in shares) == batch.n_targets
    for field in dataclasses.fields(batch):
        whole = getattr(batch, field.name)
        assert torch.equal(getattr(shares[0], field.name), whole[[0, 2]])
        assert torch.equal(getattr(shares[1], field.name), whole[[1]])
    moved = batch.to(torch.device("meta"))
    assert {getattr(moved, field.name).device.type for field in dataclasses.fields(batch)} == {"meta"}
