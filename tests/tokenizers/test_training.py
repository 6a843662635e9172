"""WordPiece's and Unigram's training against their definitions."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse.tokenizers.unigram import Unigram
from llmcourse.tokenizers.unigram_trainer import as_scores, expected_counts, learn_unigram, prune, seed_counts
from llmcourse.tokenizers.wordpiece import WordPiece
from llmcourse.tokenizers.wordpiece_trainer import learn_wordpieces, learn_wordpieces_slowly, split_word

WORDS = st.dictionaries(st.text(alphabet="abc", min_size=1, max_size=7), st.integers(1, 5), min_size=1, max_size=8)


def cuts(word):
    """Every way to cut the word into pieces."""
    if not word:
        return [[]]
    return [[word[:end], *rest] for end in range(1, len(word) + 1) for rest in cuts(word[end:])]


def test_wordpiece_merges_the_pair_that_is_the_least_coincidence():
    # `e` and `s` stand together oftenest, but they also stand elsewhere; `q` and `u` never do
    words = {"es": 9, "e": 9, "s": 1, "ses": 9, "qu": 4}
    tokens = learn_wordpieces(words, 100)
    assert tokens[: len({"e", "##s", "s", "##e", "q", "##u"})] == sorted({"e", "##s", "s", "##e", "q", "##u"})
    assert tokens[6] == "qu"


@settings(max_examples=80, deadline=None)
@given(words=WORDS, n_tokens=st.integers(0, 40))
def test_the_fast_learner_of_wordpieces_equals_the_slow_one(words, n_tokens):
    assert learn_wordpieces(words, n_tokens) == learn_wordpieces_slowly(words, n_tokens)


@settings(max_examples=50, deadline=None)
@given(words=WORDS)
def test_wordpieces_write_every_word_they_were_learned_from(words):
    tokens = ["[UNK]", *learn_wordpieces(words, 30)]
    model = WordPiece({token: number for number, token in enumerate(tokens)})
    for word in words:
        pieces = [tokens[number] for number in model.encode(word)]
        assert "".join(piece.removeprefix("##") for piece in pieces) == word
        assert [piece.startswith("##") for piece in pieces] == [False] + [True] * (len(pieces) - 1)


def test_a_word_is_split_with_a_mark_on_all_but_the_first_character():
    assert split_word("cat") == ["c", "##a", "##t"]


@settings(max_examples=40, deadline=None)
@given(words=WORDS)
def test_expected_counts_are_those_over_all_cuts(words):
    scores = as_scores(seed_counts(words, 20))
    counts, log_likelihood = expected_counts(words, scores)
    wanted, total = dict.fromkeys(scores, 0.0), 0.0
    for word, frequency in words.items():
        chances = [
            (cut, math.exp(sum(scores[piece] for piece in cut))) for cut in cuts(word) if all(p in scores for p in cut)
        ]
        mass = sum(chance for _, chance in chances)
        total += frequency * math.log(mass)
        for cut, chance in chances:
            for piece in cut:
                wanted[piece] += frequency * chance / mass
    assert counts == pytest.approx(wanted)
    assert log_likelihood == pytest.approx(total)


@settings(max_examples=40, deadline=None)
@given(words=WORDS)
def test_a_round_of_learning_never_loses_likelihood(words):
    scores = as_scores(seed_counts(words, 20))
    before = -math.inf
    for _ in range(4):
        counts, log_likelihood = expected_counts(words, scores)
        assert log_likelihood >= before - 1e-6
        scores, before = as_scores(counts), log_likelihood


@settings(max_examples=40, deadline=None)
@given(words=WORDS)
def test_the_best_cut_is_the_likeliest_of_all(words):
    scores = as_scores(seed_counts(words, 20))
    model = Unigram(list(scores.items()), unknown_id=None)
    for word in words:
        tokens, score = model.best(word)
        assert "".join(tokens) == word
        assert sum(scores[token] for token in tokens) == pytest.approx(score)
        reachable = [cut for cut in cuts(word) if all(piece in scores for piece in cut)]
        assert score == pytest.approx(max(sum(scores[piece] for piece in cut) for cut in reachable))


def test_seeds_are_the_characters_and_the_strings_that_cover_most():
    assert seed_counts({"abab": 2, "c": 1}, 2) == {"a": 4, "b": 4, "c": 1, "ab": 4, "abab": 2}
    assert seed_counts({"abcab": 1}, 9) == {"a": 2, "b": 2, "c": 1, "ab": 2}


def test_pruning_drops_the_token_that_is_missed_least_and_keeps_the_characters():
    scores = as_scores({"a": 4.0, "b": 4.0, "c": 1.0, "ab": 8.0, "bc": 1.0})
    counts = {"a": 4.0, "b": 4.0, "c": 1.0, "ab": 8.0, "bc": 1.0}
    assert set(prune(scores, counts, 4)) == {"a", "b", "c", "ab"}
    assert set(prune(scores, counts, 1)) == {"a", "b", "c"}


def test_unigram_finds_the_words_that_a_text_is_made_of():
    words = {"▁cat": 40, "▁dog": 40, "▁catdog": 9, "▁dogcat": 9, "▁cats": 20}
    assert {token for token, _ in learn_unigram(words, 10) if len(token) > 1} == {"▁cat", "▁dog"}
    tokens = learn_unigram(words, 13)
    assert {token for token, _ in tokens if len(token) > 1} == set(words)
    assert [score for _, score in tokens] == sorted((score for _, score in tokens), reverse=True)
    assert math.fsum(math.exp(score) for _, score in tokens) == pytest.approx(1)


def test_more_characters_than_tokens_are_refused():
    with pytest.raises(ValueError, match="3 different characters, but only 2 tokens are allowed"):
        learn_unigram({"abc": 1}, 2)
