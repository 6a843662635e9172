"""Counting, merging and learning on words, against the definitions and against each other."""

import random
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse.tokenizers import apply_merges, count_pairs, learn_merges, learn_merges_slowly, merge_pair

words_of_three_letters = st.dictionaries(
    st.lists(st.integers(97, 99), min_size=1, max_size=9).map(tuple), st.integers(1, 5), max_size=12
)


def test_pairs_are_counted_once_for_each_occurrence_of_their_word():
    counts = count_pairs({("l", "o", "w"): 5, ("l", "o"): 2, ("w",): 9})
    assert counts == {("l", "o"): 7, ("o", "w"): 5}


def test_an_overlapping_pair_merges_from_the_left_and_never_twice():
    assert merge_pair((1, 1, 1), (1, 1), 9) == (9, 1)
    assert merge_pair((1, 1, 1, 1), (1, 1), 9) == (9, 9)
    assert merge_pair((1, 2, 1, 2, 1), (1, 2), 9) == (9, 9, 1)


def test_merging_keeps_order_and_what_does_not_match():
    assert merge_pair((2, 1, 3), (1, 2), 9) == (2, 1, 3)
    assert merge_pair((), (1, 2), 9) == ()
    assert merge_pair(("c", "a", "t"), ("a", "t"), "at") == ("c", "at")


def test_the_commonest_pair_merges_first_and_a_tie_goes_to_the_smallest_ids():
    words = {(5, 6): 3, (2, 9): 3, (2, 8): 3, (7, 7): 2}
    assert learn_merges_slowly(words, 3) == [(2, 8), (2, 9), (5, 6)]
    assert learn_merges(words, 3) == [(2, 8), (2, 9), (5, 6)]


def test_the_order_of_the_words_changes_nothing():
    words = {(1, 2, 3): 4, (2, 3, 1): 4, (3, 1, 2): 4, (1, 2): 1, (2, 3): 1}
    shuffled = list(words.items())
    random.Random(0).shuffle(shuffled)
    assert learn_merges(words, 9) == learn_merges(dict(shuffled), 9)


def test_learning_stops_when_no_pair_is_left():
    assert learn_merges({(1, 2): 1}, 100) == learn_merges_slowly({(1, 2): 1}, 100) == [(1, 2)]
    assert learn_merges({}, 5) == learn_merges_slowly({}, 5) == []
    assert learn_merges({(1,): 7}, 5) == []


def test_words_that_fill_many_strings_are_all_merged():
    # the fast learner keeps many words in one string, so few words would stand in few of them
    chance = random.Random(1)
    words = {tuple(chance.choices(range(97, 101), k=chance.randint(1, 6))): chance.randint(1, 2) for _ in range(900)}
    assert learn_merges(words, 60) == learn_merges_slowly(words, 60)


@settings(deadline=None)
@given(words_of_three_letters)
def test_the_fast_learner_equals_the_slow_one(words):
    assert learn_merges(words, 40) == learn_merges_slowly(words, 40)


@settings(deadline=None)
@given(words_of_three_letters)
def test_encoding_replays_the_training(words):
    """A word that was trained on ends as the tokens that training left it with."""
    merges = learn_merges_slowly(words, 12)
    new_ids = {pair: 256 + rank for rank, pair in enumerate(merges)}
    for word in words:
        replayed = word
        for rank, pair in enumerate(merges):
            replayed = merge_pair(replayed, pair, 256 + rank)
        assert apply_merges(word, new_ids) == replayed


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(97, 99), max_size=14).map(tuple), words_of_three_letters)
def test_merging_all_of_a_pair_at_once_equals_one_merge_at_a_time(word, words):
    merges = learn_merges_slowly(words, 10)
    new_ids = {pair: 256 + rank for rank, pair in enumerate(merges)}
    slow = list(word)
    while candidates := [(new_ids[pair], at) for at, pair in enumerate(pairwise(slow)) if pair in new_ids]:
        new_id, at = min(candidates)
        slow[at : at + 2] = [new_id]
    assert apply_merges(word, new_ids) == tuple(slow)


def test_an_earlier_merge_wins_over_a_longer_token():
    # with (b, c) learned first, `abc` is a + bc although ab + c is known too
    assert apply_merges((97, 98, 99), {(98, 99): 256, (97, 98): 257, (257, 99): 258}) == (97, 256)
