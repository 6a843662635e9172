import math
import random

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.data import NGram

sequences = st.lists(st.lists(st.integers(0, 5), max_size=12), max_size=6)


@given(sequences, st.integers(1, 5), st.lists(st.integers(0, 5), max_size=6))
def test_probabilities_sum_to_one_after_any_context_seen_or_not(texts, order, context):
    model = NGram(order, 6).fit(texts)
    probs = model.next_probs(context)
    assert probs.sum().item() == pytest.approx(1, abs=1e-12)
    assert (probs > 0).all()
    assert probs.tolist() == pytest.approx([model.prob(token, context) for token in range(6)], rel=1e-12)


@given(sequences, st.lists(st.integers(0, 5), min_size=2, max_size=8))
def test_the_chain_of_next_probabilities_is_the_log_probability(texts, sequence):
    model = NGram(3, 6).fit(texts)
    chain = [math.log(model.next_probs(sequence[:end])[sequence[end]]) for end in range(len(sequence))]
    assert model.log_prob(sequence) == pytest.approx(sum(chain))
    assert model.log_prob(sequence, n_given=1) == pytest.approx(sum(chain[1:]))


def test_a_bigram_by_hand():
    model = NGram(2, 4).fit([[0, 1, 0, 1, 0, 2, 0]], n_given=1)
    # counted alone: 0 three times, 1 twice, 2 once; 6 in all, of 3 kinds
    alone = {1: (2 + 3 / 4) / 9, 3: (0 + 3 / 4) / 9}
    assert model.prob(1) == pytest.approx(alone[1])
    # after 0: 1 twice, 2 once; 3 in all, of 2 kinds
    assert model.prob(1, [0]) == pytest.approx((2 + 2 * alone[1]) / 5)
    assert model.prob(3, [0]) == pytest.approx(2 * alone[3] / 5)
    assert model.prob(1, [3]) == pytest.approx(alone[1])  # 3 was never seen, so it tells nothing


def test_without_any_text_all_tokens_are_equal():
    assert NGram(3, 4).fit([]).next_probs([1, 2]).tolist() == [0.25] * 4


def test_with_enough_text_the_model_finds_the_chain_that_made_it():
    source = random.Random(0)
    truth = {0: [0.7, 0.2, 0.1], 1: [0.1, 0.1, 0.8], 2: [0.3, 0.4, 0.3]}
    text = [0]
    for _ in range(8_000):
        text.append(source.choices(range(3), truth[text[-1]])[0])
    for order in (2, 4):
        model = NGram(order, 3).fit([text])
        for context, probs in truth.items():
            assert model.next_probs([0, context]).tolist() == pytest.approx(probs, abs=0.05)


def test_only_the_last_tokens_of_a_context_matter():
    model = NGram(3, 6).fit([[0, 1, 2, 3, 4, 5, 0, 2, 4, 1, 3]])
    assert torch.equal(model.next_probs([5, 5, 1, 2]), model.next_probs([1, 2]))


def test_given_tokens_are_contexts_and_never_predictions():
    model = NGram(2, 3).fit([[0, 1, 2, 0], [0, 2, 1, 0]], n_given=1)
    assert model.prob(0) == pytest.approx(1 / 3)
    assert model.prob(0, [0]) == pytest.approx(1 / 6)
    assert model.prob(1, [0]) == pytest.approx((1 + 2 / 3) / 4)


def test_a_token_outside_the_vocabulary_is_named():
    with pytest.raises(ValueError, match="Token id 6 lies outside the vocabulary of 6"):
        NGram(2, 6).fit([[1, 6]])
    with pytest.raises(ValueError, match="order and vocab_size"):
        NGram(0, 6)
