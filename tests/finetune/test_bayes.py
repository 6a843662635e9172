import math

import pytest

from llmcourse.finetune import NaiveBayes


def test_scores_are_the_log_of_the_counted_probabilities():
    bayes = NaiveBayes(smoothing=1.0).fit(["a a b", "b c", "c"], ["x", "y", "y"])
    scores = bayes.log_scores("a c unheard")
    assert scores["x"] == pytest.approx(math.log(1) + math.log(3 / 6) + math.log(1 / 6))
    assert scores["y"] == pytest.approx(math.log(2) + math.log(1 / 6) + math.log(3 / 6))
    assert bayes.classify(["a a", "c c c"]) == ["x", "y"]


def test_without_a_known_word_the_commonest_label_wins():
    bayes = NaiveBayes().fit(["a", "b", "c"], ["x", "y", "y"])
    assert bayes.classify(["never seen"]) == ["y"]


def test_the_order_of_the_words_does_not_matter():
    bayes = NaiveBayes().fit(["a b c", "d e f"], ["x", "y"])
    assert bayes.log_scores("a d e") == pytest.approx(bayes.log_scores("e a d"))


def test_bad_use_is_refused_with_one_line():
    with pytest.raises(ValueError, match="call fit first"):
        NaiveBayes().classify(["a"])
    with pytest.raises(ValueError, match="smoothing must be positive"):
        NaiveBayes(smoothing=0)
